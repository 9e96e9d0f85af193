//! Texts of expressions to trees, in AWS's grammar and with its words for what is wrong.

use super::condition::{Comparator, Condition, Operand};
use super::lexer::{Placed, Token, tokens};
use super::path::{Path, Projection, Step};
use super::reserved;
use crate::dynamodb::errors::Result;
use crate::dynamodb::texts::{self, Fault};
use crate::dynamodb::value::{Item, Value};
use api::Text;
use api::dynamodb::Error;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Longest expression (model's documentation).
const EXPRESSION_BYTES_MAX: usize = 4096;
/// Deepest nesting of conditions and operands; ours, AWS bounds the number of operators.
const DEPTH_MAX: usize = 64;
/// Functions that are true or false.
const PREDICATES: [&str; 5] =
    ["attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains"];
/// Words of the grammar, which are reserved, too.
const GRAMMAR: [&str; 9] = ["AND", "OR", "NOT", "BETWEEN", "IN", "SET", "ADD", "DELETE", "REMOVE"];

/// Which parameter of a request an expression is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::dynamodb) enum Kind {
    Condition,
    Filter,
    KeyCondition,
    Projection,
    Update,
}

impl Kind {
    /// The parameter's name.
    pub(in crate::dynamodb) fn name(self) -> &'static str {
        match self {
            Self::Condition => "ConditionExpression",
            Self::Filter => "FilterExpression",
            Self::KeyCondition => "KeyConditionExpression",
            Self::Projection => "ProjectionExpression",
            Self::Update => "UpdateExpression",
        }
    }
}

/// What `#names` and `:values` of a request's expressions stand for, and which of them are used.
pub(in crate::dynamodb) struct Parameters {
    names: BTreeMap<String, String>,
    values: Item,
    used: RefCell<BTreeSet<String>>,
}

impl Parameters {
    /// `missing`: of a request without an expression, which it could have, in AWS's words.
    ///
    /// # Errors
    /// `Validation` either is empty, or there without an expression; a key without its sign; a
    /// value that is none.
    pub(in crate::dynamodb) fn new(
        names: Option<BTreeMap<Text, Text>>,
        values: Option<BTreeMap<Text, api::dynamodb::AttributeValue>>,
        missing: Option<&str>,
    ) -> Result<Self> {
        if let Some(missing) = missing {
            if names.is_some() {
                return Err(texts::names_without_expression());
            }
            if values.is_some() {
                return Err(texts::values_without_expression(missing));
            }
        }
        let mut read = Item::new();
        if values.as_ref().is_some_and(BTreeMap::is_empty) {
            return Err(texts::must_not_be_empty("ExpressionAttributeValues"));
        }
        for (key, value) in values.unwrap_or_default() {
            check_key("ExpressionAttributeValues", ':', &key)?;
            let value = Value::read(value);
            let value = value.map_err(|error| texts::value_of_expression(&error, &key))?;
            read.insert(key.to_string(), value);
        }
        if names.as_ref().is_some_and(BTreeMap::is_empty) {
            return Err(texts::must_not_be_empty("ExpressionAttributeNames"));
        }
        let names = names.unwrap_or_default();
        for key in names.keys() {
            check_key("ExpressionAttributeNames", '#', key)?;
        }
        let names = names.iter().map(|(key, name)| (key.to_string(), name.to_string())).collect();
        Ok(Self { names, values: read, used: RefCell::default() })
    }

    /// Checks that each was used, once all expressions are read.
    ///
    /// # Errors
    /// `Validation` names those that were not.
    pub(in crate::dynamodb) fn check_used(&self) -> Result<()> {
        let used = self.used.borrow();
        let unused = |keys: Vec<&String>| -> Vec<String> {
            keys.into_iter().filter(|key| !used.contains(*key)).cloned().collect()
        };
        let values = unused(self.values.keys().collect());
        if !values.is_empty() {
            return Err(texts::unused("ExpressionAttributeValues", &values));
        }
        let names = unused(self.names.keys().collect());
        if !names.is_empty() {
            return Err(texts::unused("ExpressionAttributeNames", &names));
        }
        Ok(())
    }

    /// Reads a condition or a filter.
    ///
    /// # Errors
    /// `Validation` with what is wrong of it.
    pub(in crate::dynamodb) fn condition(&self, kind: Kind, text: &str) -> Result<Condition> {
        let mut parser = Parser::new(self, kind, text)?;
        let condition = parser.condition()?;
        parser.end()?;
        Ok(condition)
    }

    /// Reads a projection.
    ///
    /// # Errors
    /// `Validation` with what is wrong of it.
    pub(in crate::dynamodb) fn projection(&self, text: &str) -> Result<Projection> {
        let mut parser = Parser::new(self, Kind::Projection, text)?;
        let mut paths: Vec<Path> = Vec::new();
        loop {
            let path = parser.path()?;
            parser.check_apart(&paths, &path)?;
            paths.push(path);
            if !parser.takes(",") {
                break;
            }
        }
        parser.end()?;
        Ok(Projection::Paths(paths))
    }
}

fn check_key(parameter: &str, sign: char, key: &str) -> Result<()> {
    let name = key.strip_prefix(sign).unwrap_or_default();
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || !name.bytes().all(is_inside) {
        return Err(texts::bad_placeholder(parameter, key));
    }
    Ok(())
}

/// Refuses a request that has both: parameters of before there were expressions, and expressions.
/// Each by its name, and whether it is there.
///
/// # Errors
/// `Validation` names both.
pub(in crate::dynamodb) fn check_one_style(
    legacy: &[(&'static str, bool)],
    expressions: &[(&'static str, bool)],
) -> Result<()> {
    let there = |parameters: &[(&'static str, bool)]| -> Vec<&'static str> {
        parameters.iter().filter(|(_, is_there)| *is_there).map(|(name, _)| *name).collect()
    };
    let (legacy, expressions) = (there(legacy), there(expressions));
    if legacy.is_empty() || expressions.is_empty() {
        return Ok(());
    }
    Err(texts::two_styles(&legacy, &expressions))
}

/// A text half read.
pub(super) struct Parser<'a> {
    parameters: &'a Parameters,
    kind: Kind,
    text: &'a str,
    tokens: Vec<Placed<'a>>,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(parameters: &'a Parameters, kind: Kind, text: &'a str) -> Result<Self> {
        let fault = |fault: Fault<'_>| texts::expression(kind, &fault);
        if text.is_empty() {
            return Err(fault(Fault::Empty));
        }
        if text.len() > EXPRESSION_BYTES_MAX {
            return Err(fault(Fault::TooLong(text.len())));
        }
        let tokens = tokens(text).map_err(|token| fault(Fault::Syntax { token, near: token }))?;
        Ok(Self { parameters, kind, text, tokens, at: 0, depth: 0 })
    }

    pub(super) fn fault(&self, fault: &Fault<'_>) -> Error {
        texts::expression(self.kind, fault)
    }

    pub(super) fn peek(&self) -> Token<'a> {
        self.placed(self.at).token
    }

    fn placed(&self, at: usize) -> Placed<'a> {
        self.tokens[at.min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.at += 1;
        token
    }

    /// Takes a sign if it comes next.
    pub(super) fn takes(&mut self, sign: &str) -> bool {
        let is_next = self.peek() == Token::Sign(sign);
        self.at += usize::from(is_next);
        is_next
    }

    /// Takes a word of the grammar if it comes next.
    pub(super) fn takes_word(&mut self, word: &str) -> bool {
        let is_next = self.peek().is_word(word);
        self.at += usize::from(is_next);
        is_next
    }

    /// Takes a sign.
    pub(super) fn expect(&mut self, sign: &str) -> Result<()> {
        if self.takes(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn end(&mut self) -> Result<()> {
        if self.peek() == Token::End { Ok(()) } else { Err(self.unexpected()) }
    }

    /// What comes next cannot.
    pub(super) fn unexpected(&self) -> Error {
        let token = self.placed(self.at);
        let before = self.placed(self.at.saturating_sub(1));
        let after = self.placed(self.at + 1);
        let near = self.text.get(before.start..after.end).unwrap_or_default();
        self.fault(&Fault::Syntax { token: token.token.text(), near })
    }

    /// Goes a level deeper for `read`.
    pub(super) fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth == DEPTH_MAX {
            return Err(self.fault(&Fault::TooDeep));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// `a OR b AND c`.
    pub(super) fn condition(&mut self) -> Result<Condition> {
        self.deeper(|parser| {
            let mut any = vec![parser.conjunction()?];
            while parser.takes_word("OR") {
                any.push(parser.conjunction()?);
            }
            Ok(one_or(any, Condition::Any))
        })
    }

    fn conjunction(&mut self) -> Result<Condition> {
        let mut all = vec![self.negation()?];
        while self.takes_word("AND") {
            all.push(self.negation()?);
        }
        Ok(one_or(all, Condition::All))
    }

    fn negation(&mut self) -> Result<Condition> {
        if self.takes_word("NOT") {
            return self.deeper(|parser| Ok(Condition::Not(Box::new(parser.negation()?))));
        }
        if self.peek() == Token::Sign("(") {
            return self.bracketed();
        }
        self.predicate()
    }

    /// `(condition)`.
    fn bracketed(&mut self) -> Result<Condition> {
        self.at += 1;
        let opens_again = self.peek() == Token::Sign("(");
        let start = self.at;
        let condition = self.condition()?;
        // `((a))`: the inner bracket is closed right before the outer one.
        let is_redundant = opens_again && self.closes_at(start) + 1 == self.at;
        self.expect(")")?;
        if is_redundant { Err(self.fault(&Fault::RedundantParentheses)) } else { Ok(condition) }
    }

    /// Where the bracket is closed that is opened at a token.
    fn closes_at(&self, start: usize) -> usize {
        let mut depth = 0usize;
        for at in start..self.tokens.len() {
            match self.tokens[at].token {
                Token::Sign("(") => depth += 1,
                Token::Sign(")") => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return at;
                    }
                }
                _ => {}
            }
        }
        self.tokens.len()
    }

    /// The function that is called next.
    pub(super) fn call(&self) -> Option<&'a str> {
        match (self.peek(), self.placed(self.at + 1).token) {
            (Token::Word(name), Token::Sign("(")) => Some(name),
            _ => None,
        }
    }

    /// Takes a function's name and the bracket behind it.
    pub(super) fn skip_call(&mut self) {
        self.at += 2;
    }

    /// A function that cannot be called here.
    pub(super) fn no_call(&self, name: &str) -> Error {
        let is_known =
            PREDICATES.contains(&name) || ["size", "if_not_exists", "list_append"].contains(&name);
        self.fault(&if is_known { Fault::Misplaced(name) } else { Fault::NoFunction(name) })
    }

    fn predicate(&mut self) -> Result<Condition> {
        if let Some(name) = self.call().filter(|name| *name != "size") {
            return self.function(name);
        }
        let left = self.operand()?;
        if self.takes_word("BETWEEN") {
            let low = self.operand()?;
            if !self.takes_word("AND") {
                return Err(self.unexpected());
            }
            let high = self.operand()?;
            self.check_bounds(&low, &high)?;
            return Ok(Condition::Between(left, low, high));
        }
        if self.takes_word("IN") {
            self.expect("(")?;
            let mut values = vec![self.operand()?];
            while self.takes(",") {
                values.push(self.operand()?);
            }
            self.expect(")")?;
            return Ok(Condition::In(left, values));
        }
        let Token::Sign(sign) = self.peek() else { return Err(self.unexpected()) };
        let comparator = Comparator::from_sign(sign).ok_or_else(|| self.unexpected())?;
        self.at += 1;
        let right = self.operand()?;
        self.check_comparison(&left, comparator, &right)?;
        Ok(Condition::Compare(left, comparator, right))
    }

    fn check_comparison(
        &self,
        left: &Operand,
        comparator: Comparator,
        right: &Operand,
    ) -> Result<()> {
        let operator = comparator.sign();
        if let (Operand::Path(path), true) = (left, left == right) {
            return Err(self.fault(&Fault::SameOperands { operator, operand: &path.to_string() }));
        }
        let is_ordered = !matches!(comparator, Comparator::Equal | Comparator::NotEqual);
        for operand in [left, right] {
            if let Operand::Value(value) = operand
                && is_ordered
                && !value.has_order()
            {
                let (name, operand_type) = (operator, value.type_name());
                return Err(self.fault(&Fault::FunctionType { name, operand_type }));
            }
        }
        Ok(())
    }

    pub(super) fn check_bounds(&self, low: &Operand, high: &Operand) -> Result<()> {
        let (Operand::Value(low), Operand::Value(high)) = (low, high) else { return Ok(()) };
        for bound in [low, high] {
            if !bound.has_order() {
                let (name, operand_type) = ("BETWEEN", bound.type_name());
                return Err(self.fault(&Fault::FunctionType { name, operand_type }));
            }
        }
        match low.order(high) {
            None => Err(self.fault(&Fault::BoundTypes { low, high })),
            Some(order) if order.is_gt() => Err(self.fault(&Fault::BoundOrder { low, high })),
            Some(_) => Ok(()),
        }
    }

    /// `name(operand, ..)`, which is true or false.
    fn function(&mut self, name: &str) -> Result<Condition> {
        if !PREDICATES.contains(&name) {
            return Err(self.no_call(name));
        }
        let operands = self.arguments()?;
        let wanted = if name.ends_with("exists") { 1 } else { 2 };
        let count = operands.len();
        if count != wanted {
            return Err(self.fault(&Fault::OperandCount { name, count }));
        }
        let mut operands = operands.into_iter();
        let first = operands.next();
        let (Some(Operand::Path(path)), second) = (first, operands.next()) else {
            return Err(self.fault(&Fault::NoPath(name)));
        };
        if second.as_ref().is_some_and(|second| *second == Operand::Path(path.clone())) {
            let operand = &path.to_string();
            return Err(self.fault(&Fault::SameOperands { operator: name, operand }));
        }
        Ok(match (name, second) {
            ("attribute_exists", _) => Condition::Exists(path),
            ("attribute_not_exists", _) => Condition::Not(Box::new(Condition::Exists(path))),
            ("attribute_type", Some(Operand::Value(Value::S(kind)))) => {
                if !texts::TYPES.contains(&kind.as_str()) {
                    return Err(self.fault(&Fault::NoType(&kind)));
                }
                Condition::IsType(path, kind)
            }
            ("begins_with", Some(start)) if !is_of_other_type(&start) => {
                Condition::BeginsWith(Operand::Path(path), start)
            }
            ("contains", Some(part)) => Condition::Contains(Operand::Path(path), part),
            (_, Some(Operand::Value(value))) => {
                let operand_type = value.type_name();
                return Err(self.fault(&Fault::FunctionType { name, operand_type }));
            }
            _ => return Err(self.fault(&Fault::NoPath(name))),
        })
    }

    /// `(operand, ..)` behind a function's name.
    fn arguments(&mut self) -> Result<Vec<Operand>> {
        self.skip_call();
        let mut operands = vec![self.operand()?];
        while self.takes(",") {
            operands.push(self.operand()?);
        }
        self.expect(")")?;
        Ok(operands)
    }

    pub(super) fn operand(&mut self) -> Result<Operand> {
        match (self.peek(), self.call()) {
            (Token::Value(_), _) => Ok(Operand::Value(self.value()?)),
            (_, Some("size")) => self.size(),
            (_, Some(name)) => Err(self.no_call(name)),
            _ => Ok(Operand::Path(self.path()?)),
        }
    }

    /// `size(path)`.
    fn size(&mut self) -> Result<Operand> {
        let mut operands = self.arguments()?;
        let (name, count) = ("size", operands.len());
        match operands.pop().filter(|_| count == 1) {
            Some(Operand::Path(path)) => Ok(Operand::Size(path)),
            Some(Operand::Value(value)) => {
                let operand_type = value.type_name();
                Err(self.fault(&Fault::FunctionType { name, operand_type }))
            }
            Some(Operand::Size(_)) => Err(self.fault(&Fault::NoPath(name))),
            None => Err(self.fault(&Fault::OperandCount { name, count })),
        }
    }

    /// `:value`.
    pub(super) fn value(&mut self) -> Result<Value> {
        let Token::Value(key) = self.next() else {
            self.at -= 1;
            return Err(self.unexpected());
        };
        let Some(value) = self.parameters.values.get(key) else {
            return Err(self.fault(&Fault::NoValue(key)));
        };
        self.parameters.used.borrow_mut().insert(key.to_owned());
        Ok(value.clone())
    }

    /// `name.#name[0]`.
    pub(super) fn path(&mut self) -> Result<Path> {
        let mut path = Path::attribute(self.name()?);
        loop {
            if self.takes(".") {
                path.steps.push(Step::Member(self.name()?));
            } else if self.takes("[") {
                let Token::Number(index) = self.peek() else { return Err(self.unexpected()) };
                let index = index.parse().map_err(|_| self.unexpected())?;
                self.at += 1;
                path.steps.push(Step::Element(index));
                self.expect("]")?;
            } else {
                return Ok(path);
            }
        }
    }

    fn name(&mut self) -> Result<String> {
        match self.peek() {
            Token::Word(word) => {
                if reserved::is_reserved(word) {
                    let is_grammar = GRAMMAR.iter().any(|one| word.eq_ignore_ascii_case(one));
                    let reserved = || self.fault(&Fault::Reserved(word));
                    return Err(if is_grammar { self.unexpected() } else { reserved() });
                }
                self.at += 1;
                Ok(word.to_owned())
            }
            Token::Name(key) => {
                let Some(name) = self.parameters.names.get(key) else {
                    return Err(self.fault(&Fault::NoName(key)));
                };
                self.at += 1;
                self.parameters.used.borrow_mut().insert(key.to_owned());
                Ok(name.clone())
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Checks that a path lies apart from those before it.
    pub(super) fn check_apart(&self, paths: &[Path], path: &Path) -> Result<()> {
        for other in paths {
            let (one, two) = (&other.to_string(), &path.to_string());
            if other.overlaps(path) {
                return Err(self.fault(&Fault::Overlap { one, two }));
            }
            if other.conflicts(path) {
                return Err(self.fault(&Fault::Conflict { one, two }));
            }
        }
        Ok(())
    }
}

fn one_or(
    mut conditions: Vec<Condition>,
    several: impl FnOnce(Vec<Condition>) -> Condition,
) -> Condition {
    match conditions.pop() {
        Some(only) if conditions.is_empty() => only,
        last => {
            conditions.extend(last);
            several(conditions)
        }
    }
}

/// Whether it is a value that no other begins with.
fn is_of_other_type(operand: &Operand) -> bool {
    matches!(operand, Operand::Value(value) if !matches!(value, Value::S(_) | Value::B(_)))
}
