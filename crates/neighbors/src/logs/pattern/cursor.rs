//! A pattern as it is read from left to right.

/// What is left of it.
pub(super) struct Cursor<'a>(pub(super) &'a str);

impl<'a> Cursor<'a> {
    pub(super) fn skip_blanks(&mut self) {
        self.0 = self.0.trim_start();
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.0.chars().next()
    }

    pub(super) fn is_over(&mut self) -> bool {
        self.skip_blanks();
        self.0.is_empty()
    }

    /// Takes this, if it stands here, blanks before it or not.
    pub(super) fn eat(&mut self, what: &str) -> bool {
        self.skip_blanks();
        match self.0.strip_prefix(what) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    /// Takes this word in whatever case, if it stands here whole.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        self.skip_blanks();
        let Some((here, rest)) = self.0.split_at_checked(word.len()) else { return false };
        let is_whole = rest.chars().next().is_none_or(|c| !c.is_alphanumeric() && c != '_');
        if here.eq_ignore_ascii_case(word) && is_whole {
            self.0 = rest;
            return true;
        }
        false
    }

    /// Takes characters as long as they are of a kind.
    pub(super) fn take_while(&mut self, is_of_it: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !is_of_it(c)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    /// Takes a text between marks, the first of which stands here; a backslash keeps what is behind
    /// it from ending the text. `None`: it has no end.
    pub(super) fn take_quoted(&mut self, mark: char) -> Option<String> {
        let mut text = String::new();
        let mut chars = self.0.strip_prefix(mark)?.chars();
        loop {
            match chars.next()? {
                '\\' => match chars.next()? {
                    c if c == mark || c == '\\' => text.push(c),
                    c => text.extend(['\\', c]),
                },
                c if c == mark => break,
                c => text.push(c),
            }
        }
        self.0 = chars.as_str();
        Some(text)
    }

    /// Takes a regular expression between percent signs, the first of which stands here.
    pub(super) fn take_regex(&mut self) -> Option<&'a str> {
        let (regex, rest) = self.0.strip_prefix('%')?.split_once('%')?;
        self.0 = rest;
        Some(regex)
    }
}
