//! Elements of a page by CSS selector, as JSON:
//!   /scraper.wasm?url=news.ycombinator.com&selector=td.title>span>a
//! The page is read as browsers do for well-formed HTML; of CSS it knows tag, *, #id, .class, [name], [name=value],
//! :first-child, :nth-child(n), :nth-of-type(n), descendants, children (>) and lists (,).
use terrafirma::{json_string, Request, Response};

const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];
const RAW_TEXT: &[&str] = &["script", "style", "textarea", "title"];
const MAX_DEPTH: usize = 512;

/// An element of the page: where it stands, and its text.
struct Element<'a> {
    tag: String,
    attributes: Vec<(String, &'a str)>,
    parent: Option<usize>,
    inner: &'a str,
}

impl Element<'_> {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(each, _)| each.eq_ignore_ascii_case(name))
            .map(|(_, v)| *v)
    }
}

// ---- The page -----------------------------------------------------------------------------------------------------

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_' || !c.is_ascii()
}

fn is_quote(c: char) -> bool {
    c == '"' || c == '\''
}

/// Splits behind the name at the start.
fn split_name(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c| !is_name(c)).unwrap_or(text.len()))
}

/// The bytes of a tag up to and with its '>'; quotes hide one.
fn tag_length(text: &str) -> usize {
    let mut quote = None;
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '>') => return i + 1,
            _ => {}
        }
    }
    text.len()
}

/// The bytes up to the end tag of an element in which nothing else is a tag.
fn raw_text_length(text: &str, tag: &str) -> usize {
    let is_end = |&(i, _): &(usize, &str)| split_name(&text[i + 2..]).0.eq_ignore_ascii_case(tag);
    text.match_indices("</")
        .find(is_end)
        .map_or(text.len(), |(i, _)| i)
}

fn parse_attributes(mut text: &str) -> Vec<(String, &str)> {
    let mut attributes = Vec::new();
    text = text.trim_start();
    while let Some(first) = text.chars().next() {
        let (name, rest) = split_name(text);
        if name.is_empty() {
            text = text[first.len_utf8()..].trim_start();
            continue;
        }
        let mut value = "";
        text = rest;
        if let Some(behind) = rest.trim_start().strip_prefix('=') {
            let behind = behind.trim_start();
            let (body, end) = match behind.chars().next() {
                Some(quote @ ('"' | '\'')) => (&behind[1..], behind[1..].find(quote)),
                _ => (behind, behind.find(char::is_whitespace)),
            };
            let end = end.unwrap_or(body.len());
            value = &body[..end];
            text = &body[end..];
            text = text.strip_prefix(is_quote).unwrap_or(text);
        }
        attributes.push((name.to_string(), value));
        text = text.trim_start();
    }
    attributes
}

/// The elements of a page in order.
struct Page<'a> {
    html: &'a str,
    elements: Vec<Element<'a>>,
    /// Numbers of the elements that are not closed yet, and where their insides begin.
    open: Vec<(usize, usize)>,
}

impl<'a> Page<'a> {
    fn parse(html: &'a str) -> Self {
        let mut page = Page {
            html,
            elements: Vec::new(),
            open: Vec::new(),
        };
        let mut at = 0;
        while let Some(found) = html[at..].find('<') {
            let begin = at + found;
            let rest = &html[begin + 1..];
            at = begin + 1;
            if rest.starts_with("!--") {
                at += rest.find("-->").unwrap_or(rest.len());
            } else if let Some(closing) = rest.strip_prefix('/') {
                page.close(split_name(closing).0, begin);
                at += tag_length(rest);
            } else if rest.starts_with(is_name) {
                let length = tag_length(rest);
                let (tag, attributes) = split_name(rest[..length].trim_end_matches('>'));
                at += length;
                page.open(
                    tag.to_ascii_lowercase(),
                    parse_attributes(attributes),
                    begin,
                    at,
                );
                if RAW_TEXT.iter().any(|raw| tag.eq_ignore_ascii_case(raw)) {
                    at += raw_text_length(&html[at..], tag);
                }
            }
        }
        while !page.open.is_empty() {
            page.close_innermost(html.len());
        }
        page
    }

    fn close_innermost(&mut self, end: usize) {
        if let Some((number, begin)) = self.open.pop() {
            self.elements[number].inner = &self.html[begin..end];
        }
    }

    /// Closes the element of this name and all inside of it; nothing if none is open.
    fn close(&mut self, tag: &str, end: usize) {
        let is_it =
            |&(number, _): &(usize, usize)| self.elements[number].tag.eq_ignore_ascii_case(tag);
        if let Some(place) = self.open.iter().rposition(is_it) {
            while self.open.len() > place {
                self.close_innermost(end);
            }
        }
    }

    fn open(
        &mut self,
        tag: String,
        attributes: Vec<(String, &'a str)>,
        begin: usize,
        inner: usize,
    ) {
        // End tags that may be left out.
        let ends: &[&[&str]] = match tag.as_str() {
            "td" | "th" => &[&["td", "th"]],
            "tr" => &[&["td", "th"], &["tr"]],
            "dt" | "dd" => &[&["dt", "dd"]],
            "li" => &[&["li"]],
            "p" => &[&["p"]],
            "option" => &[&["option"]],
            _ => &[],
        };
        for tags in ends {
            if self.open.last().map_or(false, |&(n, _)| {
                tags.contains(&self.elements[n].tag.as_str())
            }) {
                self.close_innermost(begin);
            }
        }
        let parent = self.open.last().map(|&(number, _)| number);
        if !VOID.contains(&tag.as_str()) && self.open.len() < MAX_DEPTH {
            self.open.push((self.elements.len(), inner));
        }
        self.elements.push(Element {
            tag,
            attributes,
            parent,
            inner: "",
        });
    }

    /// The place of an element among its siblings, from 1; among those of its own tag.
    fn place(&self, number: usize, of_type: bool) -> usize {
        let me = &self.elements[number];
        self.elements[..=number]
            .iter()
            .filter(|each| each.parent == me.parent && (!of_type || each.tag == me.tag))
            .count()
    }

    /// One compound selector, such as a.title[href]; false for what cannot be understood.
    fn matches_compound(&self, number: usize, selector: &str) -> bool {
        let element = &self.elements[number];
        let (tag, mut rest) = match selector.strip_prefix('*') {
            Some(rest) => ("", rest),
            None => split_name(selector),
        };
        if selector.is_empty() || !(tag.is_empty() || element.tag.eq_ignore_ascii_case(tag)) {
            return false;
        }
        while let Some(sign) = rest.chars().next() {
            let (name, behind) = split_name(&rest[sign.len_utf8()..]);
            rest = behind;
            let matches = match sign {
                '#' => element.attribute("id") == Some(name),
                '.' => element.attribute("class").map_or(false, |all| {
                    all.split_ascii_whitespace().any(|each| each == name)
                }),
                '[' => {
                    let (value, behind) = behind.split_once(']').unwrap_or((behind, ""));
                    rest = behind;
                    let found = element.attribute(name);
                    match value.strip_prefix('=') {
                        Some(wanted) => found == Some(wanted.trim_matches(is_quote)),
                        None => found.is_some(),
                    }
                }
                ':' => {
                    let mut wanted = 0;
                    if let Some(argument) = behind.strip_prefix('(') {
                        let (digits, behind) = argument.split_once(')').unwrap_or((argument, ""));
                        wanted = digits.trim().parse().unwrap_or(0);
                        rest = behind;
                    }
                    match name {
                        "first-child" => self.place(number, false) == 1,
                        "nth-child" => self.place(number, false) == wanted,
                        "nth-of-type" => self.place(number, true) == wanted,
                        _ => false,
                    }
                }
                _ => false,
            };
            if !matches {
                return false;
            }
        }
        true
    }

    /// A selector without commas, from its last compound to the left.
    fn matches_chain(&self, number: usize, selector: &str) -> bool {
        let selector = selector.trim();
        let mut brackets = 0;
        let start = selector.rfind(|c: char| {
            brackets += i32::from(matches!(c, ']' | ')')) - i32::from(matches!(c, '[' | '('));
            brackets == 0 && (c.is_whitespace() || c == '>')
        });
        let (left, compound) = start.map_or(("", selector), |i| selector.split_at(i + 1));
        if !self.matches_compound(number, compound) {
            return false;
        }
        let left = left.trim_end();
        if left.is_empty() {
            return true;
        }
        let mut parent = self.elements[number].parent;
        if let Some(left) = left.strip_suffix('>') {
            return parent.map_or(false, |parent| self.matches_chain(parent, left));
        }
        while let Some(ancestor) = parent {
            if self.matches_chain(ancestor, left) {
                return true;
            }
            parent = self.elements[ancestor].parent;
        }
        false
    }
}

// ---- The answer ---------------------------------------------------------------------------------------------------

/// Text between tags, in pieces.
fn texts(mut html: &str) -> Vec<&str> {
    let mut texts = Vec::new();
    while !html.is_empty() {
        let (text, rest) = html.split_at(html.find('<').unwrap_or(html.len()));
        if !text.is_empty() {
            texts.push(text);
        }
        html = &rest[tag_length(rest)..];
    }
    texts
}

fn scrape(html: &str, selectors: &str) -> String {
    let page = Page::parse(html);
    let is_selected = |&number: &usize| {
        selectors
            .split(',')
            .any(|each| page.matches_chain(number, each))
    };
    let elements: Vec<String> = (0..page.elements.len())
        .filter(is_selected)
        .map(|number| {
            let inner = page.elements[number].inner;
            let texts: Vec<String> = texts(inner).into_iter().map(json_string).collect();
            format!(
                "{{\"inner_html\": {}, \"inner_text\": [{}]}}",
                json_string(inner),
                texts.join(", ")
            )
        })
        .collect();
    format!(
        "{{\"selector\": {}, \"elements\": [{}]}}\n",
        json_string(selectors),
        elements.join(", ")
    )
}

fn answer(request: Request) -> Response {
    let (url, selector) = match (request.query("url"), request.query("selector")) {
        (Some(url), Some(selector)) => (url, selector),
        _ => return Response::text("say ?url=PAGE&selector=SELECTOR\n").with_status(400),
    };
    let has_scheme = url.starts_with("http://") || url.starts_with("https://");
    let url = if has_scheme {
        url
    } else {
        format!("http://{url}")
    };
    match Request::get(&url).send() {
        Err(_) => Response::text("the page could not be fetched\n").with_status(502),
        Ok(page) if page.status != 200 => {
            Response::text("the page's server answered an error\n").with_status(502)
        }
        Ok(page) => Response::json(scrape(&String::from_utf8_lossy(&page.body), &selector)),
    }
}
terrafirma::function!(answer);
