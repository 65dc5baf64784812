/* Elements of a page by CSS selector, as JSON:
 *   /scraper.wasm?url=news.ycombinator.com&selector=td.title>span>a
 * The page is read as browsers do for well-formed HTML; of CSS it knows tag, *, #id, .class, [name], [name=value],
 * :first-child, :nth-child(n), :nth-of-type(n), descendants, children (>) and lists (,). */
#include "terrafirma.h"

/* ---- Text --------------------------------------------------------------------------------------------------------- */

static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f'; }
static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }
static bool is_name(char c) {
  c = lower(c);
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || (c & 0x80) != 0;
}
static bool same_name(struct tf_bytes a, struct tf_bytes b) {
  if (a.size != b.size) return false;
  for (size_t i = 0; i < a.size; ++i)
    if (lower(a.data[i]) != lower(b.data[i])) return false;
  return true;
}
static bool is_one_of(struct tf_bytes name, const char *names) { /* "br hr " */
  for (; *names != 0; ++names) {
    const char *end = names;
    while (*end != ' ') ++end;
    if (same_name(name, (struct tf_bytes){names, (size_t)(end - names)})) return true;
    names = end;
  }
  return false;
}
static bool starts_with(const char *at, const char *end, const char *text) {
  const size_t size = strlen(text);
  return (size_t)(end - at) >= size && same_name((struct tf_bytes){at, size}, tf_text(text));
}
static const char *skip_spaces(const char *at, const char *end) {
  while (at < end && is_space(*at)) ++at;
  return at;
}
/* The name at `at`, which moves behind it. */
static struct tf_bytes take_name(const char **at, const char *end) {
  const char *const begin = *at;
  while (*at < end && is_name(**at)) ++*at;
  return (struct tf_bytes){begin, (size_t)(*at - begin)};
}

/* ---- The page: its elements in order, each with the number of its parent ------------------------------------------- */

enum { no_element = -1, max_depth = 512 };

struct element {
  struct tf_bytes tag;
  struct tf_bytes attributes; /* all between the tag's name and '>' */
  struct tf_bytes inner;
  int parent;
};
struct page {
  struct element *elements;
  int count, capacity;
  int open[max_depth]; /* of the elements that are not closed yet */
  int depth;
};

static int innermost(const struct page *page) { return page->depth > 0 ? page->open[page->depth - 1] : no_element; }

static void close_innermost(struct page *page, const char *at) {
  struct element *const element = &page->elements[page->open[--page->depth]];
  element->inner.size = (size_t)(at - element->inner.data);
}
/* Closes the element of this name and all inside of it; nothing if none is open. */
static void close_element(struct page *page, struct tf_bytes tag, const char *at) {
  for (int i = page->depth - 1; i >= 0; --i) {
    if (!same_name(page->elements[page->open[i]].tag, tag)) continue;
    while (page->depth > i) close_innermost(page, at);
    return;
  }
}
static void close_if_innermost(struct page *page, const char *tags, const char *at) {
  if (page->depth > 0 && is_one_of(page->elements[innermost(page)].tag, tags)) close_innermost(page, at);
}

static void open_element(struct page *page, struct element element, const char *at) {
  if (is_one_of(element.tag, "td th tr ")) close_if_innermost(page, "td th ", at);
  if (is_one_of(element.tag, "tr ")) close_if_innermost(page, "tr ", at);
  if (is_one_of(element.tag, "dt dd ")) close_if_innermost(page, "dt dd ", at);
  if (is_one_of(element.tag, "li ")) close_if_innermost(page, "li ", at);
  if (is_one_of(element.tag, "p ")) close_if_innermost(page, "p ", at);
  if (is_one_of(element.tag, "option ")) close_if_innermost(page, "option ", at);
  if (page->count == page->capacity) {
    const int capacity = page->capacity * 2 + 64;
    struct element *const elements = malloc((size_t)capacity * sizeof *elements);
    if (elements == NULL) __builtin_trap();
    memcpy(elements, page->elements, (size_t)page->count * sizeof *elements);
    page->elements = elements;
    page->capacity = capacity;
  }
  element.parent = innermost(page);
  page->elements[page->count] = element;
  if (!is_one_of(element.tag, "area base br col embed hr img input link meta source track wbr ") &&
      page->depth < max_depth)
    page->open[page->depth++] = page->count;
  ++page->count;
}

/* Behind the '>' of a tag whose attributes start at `at`; quotes hide a '>'. */
static const char *end_of_tag(const char *at, const char *end) {
  char quote = 0;
  for (; at < end; ++at) {
    if (quote != 0) quote = *at == quote ? 0 : quote;
    else if (*at == '"' || *at == '\'') quote = *at;
    else if (*at == '>') return at + 1;
  }
  return end;
}

static void parse(struct page *page, struct tf_bytes html) {
  const char *at = html.data, *const end = html.data + html.size;
  while (at < end) {
    const char *const begin = at;
    if (*at++ != '<') continue;
    if (starts_with(at, end, "!--")) {
      while (at < end && !starts_with(at, end, "-->")) ++at;
    } else if (at < end && *at == '/') {
      ++at;
      const struct tf_bytes tag = take_name(&at, end);
      close_element(page, tag, begin);
      at = end_of_tag(at, end);
    } else if (at < end && is_name(*at)) {
      struct element element = {.tag = take_name(&at, end)};
      const char *const behind = end_of_tag(at, end);
      element.attributes = (struct tf_bytes){at, (size_t)(behind - at - (behind[-1] == '>' ? 1 : 0))};
      element.inner.data = at = behind;
      open_element(page, element, begin);
      if (!is_one_of(element.tag, "script style textarea title ")) continue;
      while (at < end && !(starts_with(at, end, "</") &&
                           same_name((struct tf_bytes){at + 2, element.tag.size}, element.tag)))
        ++at;
    }
  }
  while (page->depth > 0) close_innermost(page, end);
}

/* The value of an attribute; data 0 without it. */
static struct tf_bytes attribute(const struct element *element, struct tf_bytes name) {
  const char *at = element->attributes.data, *const end = at + element->attributes.size;
  while ((at = skip_spaces(at, end)) < end) {
    const struct tf_bytes found = take_name(&at, end);
    struct tf_bytes value = {at, 0};
    const char *const sign = skip_spaces(at, end);
    if (sign < end && *sign == '=') {
      at = skip_spaces(sign + 1, end);
      const char quote = at < end && (*at == '"' || *at == '\'') ? *at++ : 0;
      value.data = at;
      while (at < end && (quote != 0 ? *at != quote : !is_space(*at))) ++at;
      value.size = (size_t)(at - value.data);
      if (quote != 0 && at < end) ++at;
    } else if (found.size == 0) {
      ++at;
    }
    if (found.size > 0 && same_name(found, name)) return value;
  }
  return (struct tf_bytes){NULL, 0};
}

/* ---- Selectors ------------------------------------------------------------------------------------------------------ */

static bool has_class(const struct element *element, struct tf_bytes name) {
  const struct tf_bytes all = attribute(element, tf_text("class"));
  const char *at = all.data, *const end = all.data + all.size;
  while (at < end) {
    at = skip_spaces(at, end);
    const char *const begin = at;
    while (at < end && !is_space(*at)) ++at;
    if (tf_equal((struct tf_bytes){begin, (size_t)(at - begin)}, name)) return true;
  }
  return false;
}

/* The place of an element among its siblings, from 1; among those of its own tag. */
static int place(const struct page *page, int number, bool of_type) {
  int count = 0;
  for (int i = 0; i <= number; ++i)
    if (page->elements[i].parent == page->elements[number].parent &&
        (!of_type || same_name(page->elements[i].tag, page->elements[number].tag)))
      ++count;
  return count;
}

static bool matches_pseudo(const struct page *page, int number, const char **at, const char *end) {
  const struct tf_bytes name = take_name(at, end);
  int wanted = 0;
  if (*at < end && **at == '(') {
    for (++*at; *at < end && **at != ')'; ++*at)
      if (**at >= '0' && **at <= '9' && wanted < 100000) wanted = wanted * 10 + (**at - '0');
    if (*at < end) ++*at;
  }
  if (same_name(name, tf_text("first-child"))) return place(page, number, false) == 1;
  if (same_name(name, tf_text("nth-child"))) return place(page, number, false) == wanted;
  return same_name(name, tf_text("nth-of-type")) && place(page, number, true) == wanted;
}

static bool matches_attribute(const struct element *element, const char **at, const char *end) {
  const struct tf_bytes name = take_name(at, end);
  const struct tf_bytes value = attribute(element, name);
  bool matches = value.data != NULL;
  if (*at < end && **at == '=') {
    ++*at;
    const char quote = *at < end && (**at == '"' || **at == '\'') ? *(*at)++ : ']';
    const char *const begin = *at;
    while (*at < end && **at != quote) ++*at;
    matches = matches && tf_equal(value, (struct tf_bytes){begin, (size_t)(*at - begin)});
  }
  while (*at < end && **at != ']') ++*at;
  if (*at < end) ++*at;
  return matches;
}

/* One compound selector, such as a.title[href]: whether the element is one; none of what cannot be understood. */
static bool matches_compound(const struct page *page, int number, struct tf_bytes selector) {
  const struct element *const element = &page->elements[number];
  const char *at = selector.data, *const end = selector.data + selector.size;
  if (at == end) return false;
  if (*at == '*') ++at;
  else if (is_name(*at) && !same_name(take_name(&at, end), element->tag)) return false;
  while (at < end) {
    const char sign = *at++;
    bool matches = false;
    if (sign == '#') matches = tf_equal(attribute(element, tf_text("id")), take_name(&at, end));
    else if (sign == '.') matches = has_class(element, take_name(&at, end));
    else if (sign == '[') matches = matches_attribute(element, &at, end);
    else if (sign == ':') matches = matches_pseudo(page, number, &at, end);
    if (!matches) return false;
  }
  return true;
}

/* A selector without commas, from its last compound to the left. */
static bool matches_chain(const struct page *page, int number, struct tf_bytes selector) {
  const char *const begin = selector.data;
  const char *end = begin + selector.size;
  while (end > begin && is_space(end[-1])) --end;
  const char *start = end;
  int brackets = 0;
  while (start > begin && (brackets > 0 || (!is_space(start[-1]) && start[-1] != '>'))) {
    --start;
    brackets += *start == ']' || *start == ')' ? 1 : *start == '[' || *start == '(' ? -1 : 0;
  }
  if (!matches_compound(page, number, (struct tf_bytes){start, (size_t)(end - start)})) return false;
  while (start > begin && is_space(start[-1])) --start;
  if (start == begin) return true;
  const bool is_child = start[-1] == '>';
  const struct tf_bytes rest = {begin, (size_t)(start - begin) - (is_child ? 1 : 0)};
  int parent = page->elements[number].parent;
  if (is_child) return parent != no_element && matches_chain(page, parent, rest);
  for (; parent != no_element; parent = page->elements[parent].parent)
    if (matches_chain(page, parent, rest)) return true;
  return false;
}

static bool matches_any(const struct page *page, int number, struct tf_bytes selectors) {
  const char *at = selectors.data, *const end = selectors.data + selectors.size;
  while (at <= end) {
    const char *const begin = at;
    while (at < end && *at != ',') ++at;
    if (matches_chain(page, number, (struct tf_bytes){begin, (size_t)(at - begin)})) return true;
    ++at;
  }
  return false;
}

/* ---- The answer ----------------------------------------------------------------------------------------------------- */

/* Text between tags, each piece a JSON string. */
static void add_texts(struct tf_buffer *answer, struct tf_bytes html) {
  const char *at = html.data, *const end = html.data + html.size;
  bool is_first = true;
  while (at < end) {
    const char *const begin = at;
    while (at < end && *at != '<') ++at;
    if (at > begin) {
      tf_add_text(answer, is_first ? "" : ", ");
      tf_add_json(answer, (struct tf_bytes){begin, (size_t)(at - begin)});
      is_first = false;
    }
    if (at < end) at = end_of_tag(at, end);
  }
}

static void refuse(uint32_t status, const char *reason) { tf_respond(status, "text/plain", tf_text(reason)); }

void run(void) {
  const struct tf_bytes url = tf_query(tf_path(), "url");
  const struct tf_bytes selector = tf_query(tf_path(), "selector");
  if (url.data == NULL || selector.data == NULL) return refuse(400, "say ?url=PAGE&selector=SELECTOR\n");

  struct tf_buffer address = {0};
  const char *const end = url.data + url.size;
  if (!starts_with(url.data, end, "http://") && !starts_with(url.data, end, "https://"))
    tf_add_text(&address, "http://");
  tf_add(&address, url);
  const resp_handle response = tf_fetch(tf_done(&address));
  if (response < 0) return refuse(502, "the page could not be fetched\n");
  if (hostcall_resp_get_response_code(response) != 200) return refuse(502, "the page's server answered an error\n");

  static struct page page;
  parse(&page, tf_response_body(response));
  struct tf_buffer answer = {0};
  tf_add_text(&answer, "{\"selector\": ");
  tf_add_json(&answer, selector);
  tf_add_text(&answer, ", \"elements\": [");
  bool is_first = true;
  for (int i = 0; i < page.count; ++i) {
    if (!matches_any(&page, i, selector)) continue;
    tf_add_text(&answer, is_first ? "{\"inner_html\": " : ", {\"inner_html\": ");
    tf_add_json(&answer, page.elements[i].inner);
    tf_add_text(&answer, ", \"inner_text\": [");
    add_texts(&answer, page.elements[i].inner);
    tf_add_text(&answer, "]}");
    is_first = false;
  }
  tf_add_text(&answer, "]}\n");
  tf_respond(200, "application/json", tf_done(&answer));
}
