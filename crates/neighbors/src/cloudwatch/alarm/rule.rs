//! Rules of composite alarms: what states other alarms must be in.
//!
//! ```text
//! any     = all ("OR" all)*
//! all     = one ("AND" one)*
//! one     = "NOT" one | "(" any ")" | "TRUE" | "FALSE" | state "(" alarm ")" | quorum
//! state   = "ALARM" | "OK" | "INSUFFICIENT_DATA"
//! quorum  = "AT_LEAST" "(" (count | percentage "%") "," "NOT"? state "," alarms ")"
//! alarms  = "(" alarm ("," alarm)* ")"
//! alarm   = a name or an ARN, bare (no space, bracket or comma) or quoted (backslash escapes)
//! ```
//!
//! Words of the grammar are in upper case. Length, elements and depth are bounded, and depth bounds
//! each recursion here, so that no text makes it panic. `Rule` knows no alarms: whoever asks tells
//! it their states by the names as written.
//!
//! text → tokens → [`Rule`]

use super::evaluation::State;
use std::collections::BTreeSet;

/// Longest rule, from AWS's model.
const RULE_CHARACTERS_MAX: usize = 10_240;

/// Alarms that a rule may name, from AWS's guide; each counts once.
const CHILDREN_MAX: usize = 100;

/// Alarms, constants and pairs of brackets of a rule, from AWS's reference.
const ELEMENTS_MAX: usize = 500;

/// Brackets and `NOT`s around one another. AWS's bound is not known.
const DEPTH_MAX: usize = 100;

/// What a condition may begin with, in AWS's words.
const CONDITION: &str = "'(', 'NOT', AT_LEAST, TRUE or FALSE, ALARM, OK, or INSUFFICIENT_DATA";

type Result<T> = std::result::Result<T, String>;

/// The condition on which a composite alarm is in ALARM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cloudwatch) struct Rule(Node);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Constant(bool),
    Is(State, String),
    AtLeast(Quorum),
    Not(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
}

/// So many of these alarms are in, or not in, a state.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Quorum {
    least: Least,
    state: State,
    is_negated: bool,
    names: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Least {
    Count(u32),
    Percentage(u32),
}

impl Rule {
    /// Reads a rule.
    ///
    /// # Errors
    /// What is wrong with it, as the message of a `ValidationError`.
    pub(in crate::cloudwatch) fn parse(text: &str) -> Result<Self> {
        if text.is_empty() || text.trim() != text {
            return Err(padded());
        }
        if text.chars().count() > RULE_CHARACTERS_MAX {
            return Err(beyond("characters", RULE_CHARACTERS_MAX));
        }
        let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0, elements: 0 };
        let rule = Self(parser.any()?);
        match parser.next() {
            None if rule.children().len() > CHILDREN_MAX => Err(beyond("alarms", CHILDREN_MAX)),
            None => Ok(rule),
            Some(token) => Err(unsupported(&token, "'AND' or 'OR'")),
        }
    }

    /// The alarms that it names, names or ARNs as written.
    pub(in crate::cloudwatch) fn children(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.0.collect(&mut names);
        names
    }

    /// Whether it names an alarm, by one of these.
    pub(in crate::cloudwatch) fn is_about(&self, name: &str, arn: &str) -> bool {
        self.0.names(&|named| named == name || named == arn)
    }

    /// Whether it holds, for alarms of these states: asked for by the names as written.
    pub(in crate::cloudwatch) fn evaluate(&self, state_of: impl Fn(&str) -> State) -> bool {
        self.0.holds(&state_of)
    }
}

impl Node {
    fn names(&self, is_one: &impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Constant(_) => false,
            Self::Is(_, name) => is_one(name),
            Self::AtLeast(quorum) => quorum.names.iter().any(|name| is_one(name)),
            Self::Not(node) => node.names(is_one),
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().any(|node| node.names(is_one)),
        }
    }

    fn collect<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        match self {
            Self::Constant(_) => {}
            Self::Is(_, name) => {
                names.insert(name);
            }
            Self::AtLeast(quorum) => names.extend(quorum.names.iter().map(String::as_str)),
            Self::Not(node) => node.collect(names),
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().for_each(|n| n.collect(names)),
        }
    }

    fn holds(&self, state_of: &impl Fn(&str) -> State) -> bool {
        match self {
            Self::Constant(holds) => *holds,
            Self::Is(state, name) => state_of(name) == *state,
            Self::AtLeast(quorum) => quorum.holds(state_of),
            Self::Not(node) => !node.holds(state_of),
            Self::All(nodes) => nodes.iter().all(|node| node.holds(state_of)),
            Self::Any(nodes) => nodes.iter().any(|node| node.holds(state_of)),
        }
    }
}

impl Quorum {
    fn holds(&self, state_of: &impl Fn(&str) -> State) -> bool {
        let fits = |name: &&String| (state_of(name) == self.state) != self.is_negated;
        let (count, total) = (self.names.iter().filter(fits).count(), self.names.len());
        match self.least {
            Least::Count(least) => count >= least as usize,
            Least::Percentage(least) => count * 100 >= total * least as usize,
        }
    }
}

/// The rule is empty or has blanks around it.
///
/// Source: observed
fn padded() -> String {
    "AlarmRule must not contain leading or trailing whitespace or be null".to_owned()
}

/// A token that does not belong where it is.
///
/// Source: observed
fn unsupported(token: &Token, expected: &str) -> String {
    let (text, at) = (token.kind.text(), token.at_characters);
    format!("Error in AlarmRule [Unsupported token '{text}' at char {at}, must be: {expected}]")
}

/// The rule stops where something must follow.
///
/// Source: ours
fn unfinished(expected: &str) -> String {
    format!("Error in AlarmRule [Unexpected end of rule, must be: {expected}]")
}

/// The rule is too large.
///
/// Source: ours
fn beyond(what: &str, max: usize) -> String {
    format!("AlarmRule must have at most {max} {what}")
}

/// A piece of a rule.
#[derive(Clone, Debug)]
struct Token {
    kind: Kind,
    /// Characters before it.
    at_characters: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Open,
    Close,
    Comma,
    /// A word of the grammar, a number or a bare name: its place tells which.
    Word(String),
    /// A name, without its quotes and escapes.
    Quoted(String),
}

impl Kind {
    fn text(&self) -> &str {
        match self {
            Self::Open => "(",
            Self::Close => ")",
            Self::Comma => ",",
            Self::Word(text) | Self::Quoted(text) => text,
        }
    }
}

/// Cuts a rule into tokens.
fn tokens(text: &str) -> Result<Vec<Token>> {
    let is_word = |c: char| !c.is_whitespace() && !matches!(c, '(' | ')' | ',');
    let mut tokens = Vec::new();
    let mut characters = text.chars().enumerate().peekable();
    while let Some((at_characters, first)) = characters.next() {
        let kind = match first {
            _ if first.is_whitespace() => continue,
            '(' => Kind::Open,
            ')' => Kind::Close,
            ',' => Kind::Comma,
            '"' | '\'' => Kind::Quoted(name(first, &mut characters)?),
            _ => {
                let mut word = String::from(first);
                while let Some((_, c)) = characters.next_if(|(_, c)| is_word(*c)) {
                    word.push(c);
                }
                Kind::Word(word)
            }
        };
        tokens.push(Token { kind, at_characters });
    }
    Ok(tokens)
}

/// A quoted name from behind its first quote up to its last. A backslash takes the meaning from a
/// quote or a backslash, and stands for itself before anything else.
fn name(quote: char, characters: &mut impl Iterator<Item = (usize, char)>) -> Result<String> {
    let mut name = String::new();
    let mut is_escaped = false;
    for (_, c) in characters {
        match c {
            _ if is_escaped => {
                if c != quote && c != '\\' {
                    name.push('\\');
                }
                name.push(c);
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            _ if c == quote => return Ok(name),
            _ => name.push(c),
        }
    }
    Err(unfinished(&quote.to_string()))
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    elements: usize,
}

impl Parser {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    /// Takes the next token if it is this one.
    fn take(&mut self, kind: &Kind) -> bool {
        let is_next = self.tokens.get(self.at).is_some_and(|token| token.kind == *kind);
        self.at += usize::from(is_next);
        is_next
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.take(&Kind::Word(word.to_owned()))
    }

    fn expect(&mut self, kind: &Kind) -> Result<()> {
        let expected = format!("'{}'", kind.text());
        match self.next() {
            Some(token) if token.kind == *kind => Ok(()),
            Some(token) => Err(unsupported(&token, &expected)),
            None => Err(unfinished(&expected)),
        }
    }

    fn count_element(&mut self) -> Result<()> {
        self.elements += 1;
        if self.elements > ELEMENTS_MAX { Err(beyond("elements", ELEMENTS_MAX)) } else { Ok(()) }
    }

    /// Reads what is inside of a bracket or behind a `NOT`.
    fn inside(&mut self, read: impl FnOnce(&mut Self) -> Result<Node>) -> Result<Node> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(beyond("levels", DEPTH_MAX));
        }
        let node = read(self)?;
        self.depth -= 1;
        Ok(node)
    }

    fn any(&mut self) -> Result<Node> {
        let first = self.all()?;
        let mut nodes = vec![first];
        while self.take_word("OR") {
            nodes.push(self.all()?);
        }
        Ok(joined(nodes, Node::Any))
    }

    fn all(&mut self) -> Result<Node> {
        let first = self.one()?;
        let mut nodes = vec![first];
        while self.take_word("AND") {
            nodes.push(self.one()?);
        }
        Ok(joined(nodes, Node::All))
    }

    fn one(&mut self) -> Result<Node> {
        let token = self.next().ok_or_else(|| unfinished(CONDITION))?;
        let word = match &token.kind {
            Kind::Open => return self.group(),
            Kind::Word(word) => word.as_str(),
            _ => return Err(unsupported(&token, CONDITION)),
        };
        if word == "NOT" {
            return Ok(Node::Not(Box::new(self.inside(Self::one)?)));
        }
        self.count_element()?;
        match word {
            "TRUE" => Ok(Node::Constant(true)),
            "FALSE" => Ok(Node::Constant(false)),
            "AT_LEAST" => self.quorum(),
            _ => {
                let state = State::parse(word).ok_or_else(|| unsupported(&token, CONDITION))?;
                self.expect(&Kind::Open)?;
                let name = self.alarm()?;
                self.expect(&Kind::Close)?;
                Ok(Node::Is(state, name))
            }
        }
    }

    /// A condition in brackets, from behind the first one.
    fn group(&mut self) -> Result<Node> {
        self.count_element()?;
        let node = self.inside(Self::any)?;
        self.expect(&Kind::Close)?;
        Ok(node)
    }

    /// The name or ARN of an alarm.
    fn alarm(&mut self) -> Result<String> {
        const EXPECTED: &str = "an alarm name or ARN";
        match self.next() {
            Some(Token { kind: Kind::Word(name) | Kind::Quoted(name), .. }) if !name.is_empty() => {
                Ok(name)
            }
            Some(token) => Err(unsupported(&token, EXPECTED)),
            None => Err(unfinished(EXPECTED)),
        }
    }

    /// `AT_LEAST`, from behind the word.
    fn quorum(&mut self) -> Result<Node> {
        self.expect(&Kind::Open)?;
        let least = self.least()?;
        self.expect(&Kind::Comma)?;
        let is_negated = self.take_word("NOT");
        let state = self.state()?;
        self.expect(&Kind::Comma)?;
        self.expect(&Kind::Open)?;
        let mut names = vec![self.alarm()?];
        while self.take(&Kind::Comma) {
            self.count_element()?;
            names.push(self.alarm()?);
        }
        self.expect(&Kind::Close)?;
        self.expect(&Kind::Close)?;
        Ok(Node::AtLeast(Quorum { least, state, is_negated, names }))
    }

    fn least(&mut self) -> Result<Least> {
        const EXPECTED: &str = "a number of alarms or a percentage";
        let token = self.next().ok_or_else(|| unfinished(EXPECTED))?;
        let text = token.kind.text();
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let number = |text: &str| text.parse().ok().filter(|n| *n > 0 && is_digits(text));
        let least = match text.strip_suffix('%') {
            Some(text) => number(text).filter(|n| *n <= 100).map(Least::Percentage),
            None => number(text).map(Least::Count),
        };
        least.ok_or_else(|| unsupported(&token, EXPECTED))
    }

    fn state(&mut self) -> Result<State> {
        const EXPECTED: &str = "ALARM, OK, or INSUFFICIENT_DATA";
        let token = self.next().ok_or_else(|| unfinished(EXPECTED))?;
        match &token.kind {
            Kind::Word(word) => State::parse(word).ok_or_else(|| unsupported(&token, EXPECTED)),
            _ => Err(unsupported(&token, EXPECTED)),
        }
    }
}

/// A single node is itself, without a list around it.
fn joined(mut nodes: Vec<Node>, join: impl FnOnce(Vec<Node>) -> Node) -> Node {
    match nodes.pop() {
        Some(only) if nodes.is_empty() => only,
        Some(last) => {
            nodes.push(last);
            join(nodes)
        }
        None => join(nodes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Alarms `a..` are in ALARM, `o..` in OK, all others in INSUFFICIENT_DATA.
    fn state_of(name: &str) -> State {
        match name.chars().next() {
            Some('a') => State::Alarm,
            Some('o') => State::Ok,
            _ => State::InsufficientData,
        }
    }

    /// Reads a rule that names these alarms and holds or not.
    #[track_caller]
    fn check(text: &str, children: &[&str], want: bool) {
        let rule = Rule::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(rule.children().into_iter().collect::<Vec<_>>(), children, "{text}");
        assert_eq!(rule.evaluate(state_of), want, "{text}: {rule:?}");
    }

    #[test]
    fn conditions() {
        check("TRUE", &[], true);
        check("FALSE", &[], false);
        check("NOT FALSE", &[], true);
        check("ALARM(a)", &["a"], true);
        check("OK(a)", &["a"], false);
        check("OK(o)", &["o"], true);
        check("INSUFFICIENT_DATA(i)", &["i"], true);
        check("ALARM(a) AND OK(o)", &["a", "o"], true);
        check("ALARM(a1) AND ALARM(a2) AND ALARM(o)", &["a1", "a2", "o"], false);
        check("ALARM(o) OR ALARM(i) OR ALARM(a)", &["a", "i", "o"], true);
        check("ALARM(a) AND NOT ALARM(o)", &["a", "o"], true);
        check("NOT(ALARM(a) OR OK(a))", &["a"], false);
        check("(((ALARM(a))))", &["a"], true);
        check("NOT NOT NOT ALARM(a)", &["a"], false);
    }

    #[test]
    fn precedence() {
        check("TRUE OR FALSE AND FALSE", &[], true);
        check("(TRUE OR FALSE) AND FALSE", &[], false);
        check("NOT TRUE OR TRUE", &[], true);
        check("NOT (TRUE OR TRUE)", &[], false);
        check("NOT FALSE AND FALSE", &[], false);
    }

    #[test]
    fn names() {
        let arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:with a blank";
        check(&format!("OK(\"{arn}\")"), &[arn], false);
        check(&format!("ALARM('{arn}')"), &[arn], true);
        check(
            "ALARM(arn:aws:cloudwatch:eu-west-1:1:alarm:x)",
            &["arn:aws:cloudwatch:eu-west-1:1:alarm:x"],
            true,
        );
        check(r#"ALARM("a \"b\" \\ \c")"#, &[r#"a "b" \ \c"#], true);
        check(r#"ALARM("a(1), AND")"#, &["a(1), AND"], true);
        check("ALARM(a's)", &["a's"], true);
        check("OK(OK) OR ALARM(ALARM)", &["ALARM", "OK"], false);
        check("ALARM ( \"aé\" )\n  OR\tOK(o)", &["aé", "o"], true);
        check("(ALARM(\"a\")AND OK(\"o\"))OR FALSE", &["a", "o"], true);
    }

    #[test]
    fn quorums() {
        check("AT_LEAST(2, ALARM, (a1, a2, o))", &["a1", "a2", "o"], true);
        check("AT_LEAST(3, ALARM, (a1, a2, o))", &["a1", "a2", "o"], false);
        check("AT_LEAST(50%, OK, (o1, o2, a1, a2))", &["a1", "a2", "o1", "o2"], true);
        check("AT_LEAST(51%, OK, (o1, o2, a1, a2))", &["a1", "a2", "o1", "o2"], false);
        check("AT_LEAST(60%, NOT OK, (\"a b\", i, o))", &["a b", "i", "o"], true);
        check("AT_LEAST(1,ALARM,(a)) AND NOT ALARM(o)", &["a", "o"], true);
    }

    #[track_caller]
    fn refused(text: &str, want: &str) {
        assert_eq!(Rule::parse(text).unwrap_err(), want, "{text}");
    }

    #[test]
    fn not_in_place() {
        for (text, token, at, expected) in [
            ("()", ")", 1, CONDITION),
            ("(ALARM(Sample Oldest))", "Oldest", 14, "')'"),
            ("alarm(a)", "alarm", 0, CONDITION),
            ("ALARM a", "a", 6, "'('"),
            ("ALARM()", ")", 6, "an alarm name or ARN"),
            ("ALARM(\"\")", "", 6, "an alarm name or ARN"),
            ("ALARM(a, b)", ",", 7, "')'"),
            ("ALARM(a) ALARM(b)", "ALARM", 9, "'AND' or 'OR'"),
            ("ALARM(a))", ")", 8, "'AND' or 'OR'"),
            ("ALARM(a) and ALARM(b)", "and", 9, "'AND' or 'OR'"),
            ("é OR TRUE", "é", 0, CONDITION),
            ("TRUE OR é", "é", 8, CONDITION),
            ("TRUE AND OR FALSE", "OR", 9, CONDITION),
            ("\"a\"", "a", 0, CONDITION),
            ("AT_LEAST(0, ALARM, (a))", "0", 9, "a number of alarms or a percentage"),
            ("AT_LEAST(+1, ALARM, (a))", "+1", 9, "a number of alarms or a percentage"),
            ("AT_LEAST(101%, ALARM, (a))", "101%", 9, "a number of alarms or a percentage"),
            ("AT_LEAST(1, TRUE, (a))", "TRUE", 12, "ALARM, OK, or INSUFFICIENT_DATA"),
            ("AT_LEAST(1, ALARM, a)", "a", 19, "'('"),
        ] {
            refused(
                text,
                &format!(
                    "Error in AlarmRule [Unsupported token '{token}' at char {at}, must be: \
                     {expected}]"
                ),
            );
        }
    }

    #[test]
    fn not_finished() {
        for (text, expected) in [
            ("ALARM", "'('"),
            ("ALARM(", "an alarm name or ARN"),
            ("ALARM(a", "')'"),
            ("ALARM(\"a", "\""),
            ("ALARM('a\\'", "'"),
            ("(TRUE", "')'"),
            ("NOT", CONDITION),
            ("TRUE AND", CONDITION),
            ("TRUE OR", CONDITION),
            ("AT_LEAST(", "a number of alarms or a percentage"),
        ] {
            refused(
                text,
                &format!("Error in AlarmRule [Unexpected end of rule, must be: {expected}]"),
            );
        }
    }

    #[test]
    fn blanks_around() {
        let want = "AlarmRule must not contain leading or trailing whitespace or be null";
        for text in ["", " ", " TRUE", "TRUE\n"] {
            refused(text, want);
        }
    }

    /// At the bound and one beyond it.
    #[track_caller]
    fn check_bound(rule_of: impl Fn(usize) -> String, max: usize, what: &str) {
        Rule::parse(&rule_of(max)).unwrap_or_else(|e| panic!("{what}: {e}"));
        refused(&rule_of(max + 1), &format!("AlarmRule must have at most {max} {what}"));
    }

    #[test]
    fn bounds() {
        let named = |n: usize| format!("ALARM({})", "é".repeat(n - "ALARM()".len()));
        check_bound(named, RULE_CHARACTERS_MAX, "characters");
        let all = |n| (0..n).map(|i| format!("OK({i})")).collect::<Vec<_>>().join(" OR ");
        check_bound(all, CHILDREN_MAX, "alarms");
        check_bound(|n| vec!["OK(a)"; n].join(" OR "), ELEMENTS_MAX, "elements");
        let listed = |n| format!("AT_LEAST(1, OK, ({}))", vec!["a"; n].join(", "));
        check_bound(listed, ELEMENTS_MAX, "elements");
        check_bound(|n| "(".repeat(n) + "TRUE" + &")".repeat(n), DEPTH_MAX, "levels");
        check_bound(|n| "NOT ".repeat(n) + "TRUE", DEPTH_MAX, "levels");
        let flat = vec!["(NOT OK(a))"; 250].join(" AND ");
        assert_eq!(Rule::parse(&flat).map(|rule| rule.children().len()), Ok(1));
        assert!(Rule::parse(&"(".repeat(RULE_CHARACTERS_MAX)).is_err());
    }

    /// The text of a rule, each node in brackets.
    fn render(node: &Node) -> String {
        let quoted =
            |name: &str| format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
        let joined = |nodes: &[Node], word: &str| {
            let all: Vec<_> = nodes.iter().map(|node| format!("({})", render(node))).collect();
            all.join(word)
        };
        match node {
            Node::Constant(true) => "TRUE".to_owned(),
            Node::Constant(false) => "FALSE".to_owned(),
            Node::Is(state, name) => format!("{}({})", state.as_str(), quoted(name)),
            Node::AtLeast(quorum) => {
                let least = match quorum.least {
                    Least::Count(n) => n.to_string(),
                    Least::Percentage(n) => format!("{n}%"),
                };
                let not = if quorum.is_negated { "NOT " } else { "" };
                let names: Vec<_> = quorum.names.iter().map(|name| quoted(name)).collect();
                let state = quorum.state.as_str();
                format!("AT_LEAST({least}, {not}{state}, ({}))", names.join(", "))
            }
            Node::Not(node) => format!("NOT ({})", render(node)),
            Node::All(nodes) => joined(nodes, " AND "),
            Node::Any(nodes) => joined(nodes, " OR "),
        }
    }

    fn any_state() -> impl Strategy<Value = State> {
        prop_oneof![Just(State::Ok), Just(State::Alarm), Just(State::InsufficientData)]
    }

    fn any_node() -> impl Strategy<Value = Node> {
        let name = "[ao(),\"'\\\\ é%]{1,6}";
        let quorum = (
            1_u32..5,
            any::<bool>(),
            any_state(),
            any::<bool>(),
            prop::collection::vec(name, 1..4),
        );
        let leaf = prop_oneof![
            any::<bool>().prop_map(Node::Constant),
            (any_state(), name).prop_map(|(state, name)| Node::Is(state, name)),
            quorum.prop_map(|(number, is_count, state, is_negated, names)| {
                let least = match is_count {
                    true => Least::Count(number),
                    false => Least::Percentage(number * 20),
                };
                Node::AtLeast(Quorum { least, state, is_negated, names })
            }),
        ];
        leaf.prop_recursive(5, 40, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(|node| Node::Not(Box::new(node))),
                prop::collection::vec(inner.clone(), 2..4).prop_map(Node::All),
                prop::collection::vec(inner, 2..4).prop_map(Node::Any),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(node in any_node()) {
            let text = render(&node);
            prop_assert_eq!(Rule::parse(&text), Ok(Rule(node)), "{}", text);
        }

        #[test]
        fn any_text(text in ".{0,80}") {
            if let Ok(rule) = Rule::parse(&text) {
                rule.evaluate(state_of);
            }
        }

        #[test]
        fn any_tokens(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "(", ")", "(", ")", ",", "AND", "OR", "NOT", "TRUE", "FALSE", "ALARM", "OK",
                    "INSUFFICIENT_DATA", "AT_LEAST", "1", "50%", "a", "\"", "'", "\\", "é",
                    "ALARM(a)",
                ]),
                0..40,
            ),
            blank in "[ ]?",
        ) {
            if let Ok(rule) = Rule::parse(&words.join(&blank)) {
                let children = rule.children();
                rule.evaluate(|name| {
                    assert!(children.contains(name));
                    state_of(name)
                });
            }
        }
    }
}
