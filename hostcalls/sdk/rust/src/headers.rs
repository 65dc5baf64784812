//! Fields of messages.

/// Fields in order. Names compare without case.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    fields: Vec<(String, Vec<u8>)>,
}

impl Headers {
    /// The first value of a field, if it is there and UTF-8.
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .fields
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// All values of a field in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.fields
            .iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// Replaces all values of a field by one.
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.remove(name);
        self.append(name, value);
    }

    /// Adds a value behind those that are there.
    pub fn append(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.fields
            .push((name.to_string(), value.as_ref().to_vec()));
    }

    /// Removes a field.
    pub fn remove(&mut self, name: &str) {
        self.fields
            .retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    }

    /// Every name and value in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// Every name once.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in &self.fields {
            if !names.iter().any(|other| other.eq_ignore_ascii_case(name)) {
                names.push(name);
            }
        }
        names
    }
}
