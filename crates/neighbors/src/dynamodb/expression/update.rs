//! Updates: what is done to an item, and the item after it.

use super::condition::Operand;
use super::parser::{Kind, Parameters, Parser};
use super::path::{Path, Projection, Step};
use crate::dynamodb::errors::Result;
use crate::dynamodb::texts::{self, Fault};
use crate::dynamodb::value::{Item, Value};

/// What is done to an item, one path an action.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::dynamodb) struct Update {
    pub(in crate::dynamodb) actions: Vec<(Path, Action)>,
}

/// What is done at a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::dynamodb) enum Action {
    Set(SetValue),
    Remove,
    /// Adds a number, or members to a set; sets what is not there.
    Add(Value),
    /// Takes members out of a set.
    Delete(Value),
}

/// What is set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::dynamodb) enum SetValue {
    One(SetOperand),
    Plus(SetOperand, SetOperand),
    Minus(SetOperand, SetOperand),
}

/// An operand of `SET`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::dynamodb) enum SetOperand {
    Path(Path),
    Value(Value),
    IfNotExists(Path, Box<SetOperand>),
    ListAppend(Box<SetOperand>, Box<SetOperand>),
}

impl Parameters {
    /// Reads an update.
    ///
    /// # Errors
    /// `Validation` with what is wrong of it.
    pub(in crate::dynamodb) fn update(&self, text: &str) -> Result<Update> {
        let mut parser = Parser::new(self, Kind::Update, text)?;
        let mut update = Update::default();
        let mut sections = Vec::new();
        while let Some(section) =
            ["SET", "REMOVE", "ADD", "DELETE"].into_iter().find(|word| parser.takes_word(word))
        {
            if sections.contains(&section) {
                return Err(parser.fault(&Fault::SectionTwice(section)));
            }
            sections.push(section);
            loop {
                let (path, action) = parser.action(section)?;
                let paths: Vec<_> = update.actions.iter().map(|(path, _)| path.clone()).collect();
                parser.check_apart(&paths, &path)?;
                update.actions.push((path, action));
                if !parser.takes(",") {
                    break;
                }
            }
        }
        if sections.is_empty() {
            return Err(parser.unexpected());
        }
        parser.end()?;
        Ok(update)
    }
}

impl Parser<'_> {
    fn action(&mut self, section: &str) -> Result<(Path, Action)> {
        let path = self.path()?;
        let action = match section {
            "SET" => {
                self.expect("=")?;
                Action::Set(self.set_value()?)
            }
            "REMOVE" => Action::Remove,
            "ADD" => {
                let value = self.value()?;
                if !matches!(value, Value::N(_)) && !is_set(&value) {
                    let (operator, operand_type) = ("ADD", long_type(&value));
                    return Err(self.fault(&Fault::OperatorType { operator, operand_type }));
                }
                Action::Add(value)
            }
            _ => {
                let value = self.value()?;
                if !is_set(&value) {
                    let (operator, operand_type) = ("DELETE", long_type(&value));
                    return Err(self.fault(&Fault::OperatorType { operator, operand_type }));
                }
                Action::Delete(value)
            }
        };
        Ok((path, action))
    }

    /// `operand`, or two of them with a sign between; each, and both, in brackets or not.
    fn set_value(&mut self) -> Result<SetValue> {
        let left = self.set_part()?;
        for (sign, made) in [("+", SetValue::Plus as fn(_, _) -> _), ("-", SetValue::Minus)] {
            let SetValue::One(operand) = &left else { break };
            if self.takes(sign) {
                let SetValue::One(right) = self.set_part()? else { return Err(self.unexpected()) };
                for operand in [operand, &right] {
                    if let SetOperand::Value(value) = operand
                        && !matches!(value, Value::N(_))
                    {
                        let (name, operand_type) = (sign, value.type_name());
                        return Err(self.fault(&Fault::FunctionType { name, operand_type }));
                    }
                }
                return Ok(made(operand.clone(), right));
            }
        }
        Ok(left)
    }

    fn set_part(&mut self) -> Result<SetValue> {
        if !self.takes("(") {
            return self.set_operand().map(SetValue::One);
        }
        let value = self.deeper(Self::set_value)?;
        self.expect(")")?;
        Ok(value)
    }

    fn set_operand(&mut self) -> Result<SetOperand> {
        self.deeper(|parser| {
            if let Some(name) = parser.call() {
                return match name {
                    "if_not_exists" | "list_append" => parser.set_function(name),
                    _ => Err(parser.no_call(name)),
                };
            }
            Ok(match parser.operand()? {
                Operand::Value(value) => SetOperand::Value(value),
                Operand::Path(path) => SetOperand::Path(path),
                Operand::Size(_) => return Err(parser.no_call("size")),
            })
        })
    }

    fn set_function(&mut self, name: &str) -> Result<SetOperand> {
        self.skip_call();
        let mut operands = vec![self.set_operand()?];
        while self.takes(",") {
            operands.push(self.set_operand()?);
        }
        self.expect(")")?;
        let count = operands.len();
        let (Some(second), Some(first), 2) = (operands.pop(), operands.pop(), count) else {
            return Err(self.fault(&Fault::OperandCount { name, count }));
        };
        if name == "if_not_exists" {
            let SetOperand::Path(path) = first else {
                return Err(self.fault(&Fault::NoPath(name)));
            };
            return Ok(SetOperand::IfNotExists(path, Box::new(second)));
        }
        for operand in [&first, &second] {
            if let SetOperand::Value(value) = operand
                && !matches!(value, Value::L(_))
            {
                let operand_type = value.type_name();
                return Err(self.fault(&Fault::FunctionType { name, operand_type }));
            }
        }
        Ok(SetOperand::ListAppend(Box::new(first), Box::new(second)))
    }
}

impl Update {
    /// The item after it; each operand is of the item before it.
    ///
    /// # Errors
    /// `Validation` an operand is not there or of a wrong type, a path leads nowhere.
    pub(in crate::dynamodb) fn apply(&self, item: &Item) -> Result<Item> {
        let mut after = item.clone();
        let mut removals: Vec<&Path> = Vec::new();
        // Elements behind the end of a list are put there in their order.
        let mut actions: Vec<_> = self.actions.iter().collect();
        actions.sort_by(|(a, _), (b, _)| order_of_elements(a, b));
        for (path, action) in actions {
            match action {
                Action::Set(value) => set(&mut after, path, value.of(item)?)?,
                Action::Remove => removals.push(path),
                Action::Add(value) => {
                    let sum = add(path.find(item), value)?;
                    set(&mut after, path, sum)?;
                }
                Action::Delete(value) => match path.find(item) {
                    None if path.has_holder(item) => {}
                    None => return Err(texts::path_invalid()),
                    Some(set_of) => match without(set_of, value)? {
                        Some(rest) => set(&mut after, path, rest)?,
                        None => removals.push(path),
                    },
                },
            }
        }
        // The last element of a list first: those behind it move up.
        removals.reverse();
        for path in removals {
            remove(&mut after, path)?;
        }
        Ok(after)
    }

    /// The part of an item that it is about.
    pub(in crate::dynamodb) fn projection(&self) -> Projection {
        Projection::Paths(self.actions.iter().map(|(path, _)| path.clone()).collect())
    }

    /// Whether it changes an attribute.
    pub(in crate::dynamodb) fn touches(&self, attribute: &str) -> bool {
        self.actions.iter().any(|(path, _)| path.attribute == attribute)
    }
}

impl SetValue {
    fn of(&self, item: &Item) -> Result<Value> {
        let sum = |left: &SetOperand, right: &SetOperand, is_minus: bool| {
            let (Value::N(left), Value::N(right)) = (left.of(item)?, right.of(item)?) else {
                return Err(texts::operand_type());
            };
            let sum = if is_minus { left.minus(right) } else { left.plus(right) };
            sum.map(Value::N).map_err(|trouble| texts::no_number(trouble, ""))
        };
        match self {
            Self::One(operand) => operand.of(item),
            Self::Plus(left, right) => sum(left, right, false),
            Self::Minus(left, right) => sum(left, right, true),
        }
    }
}

impl SetOperand {
    fn of(&self, item: &Item) -> Result<Value> {
        match self {
            Self::Path(path) => path.find(item).cloned().ok_or_else(texts::operand_missing),
            Self::Value(value) => Ok(value.clone()),
            Self::IfNotExists(path, other) => match path.find(item) {
                Some(value) => Ok(value.clone()),
                None => other.of(item),
            },
            Self::ListAppend(first, second) => match (first.of(item)?, second.of(item)?) {
                (Value::L(mut first), Value::L(second)) => {
                    first.extend(second);
                    Ok(Value::L(first))
                }
                _ => Err(texts::operand_type()),
            },
        }
    }
}

fn add(old: Option<&Value>, value: &Value) -> Result<Value> {
    Ok(match (old, value) {
        (None, value) => value.clone(),
        (Some(Value::N(old)), Value::N(value)) => {
            Value::N(old.plus(*value).map_err(|trouble| texts::no_number(trouble, ""))?)
        }
        (Some(Value::SS(old)), Value::SS(value)) => Value::SS(old | value),
        (Some(Value::NS(old)), Value::NS(value)) => Value::NS(old | value),
        (Some(Value::BS(old)), Value::BS(value)) => Value::BS(old | value),
        _ => return Err(texts::operand_type()),
    })
}

/// A set without members; `None` when nothing is left of it.
fn without(old: &Value, value: &Value) -> Result<Option<Value>> {
    Ok(match (old, value) {
        (Value::SS(old), Value::SS(value)) => {
            Some(old - value).filter(|s| !s.is_empty()).map(Value::SS)
        }
        (Value::NS(old), Value::NS(value)) => {
            Some(old - value).filter(|s| !s.is_empty()).map(Value::NS)
        }
        (Value::BS(old), Value::BS(value)) => {
            Some(old - value).filter(|s| !s.is_empty()).map(Value::BS)
        }
        _ => return Err(texts::operand_type()),
    })
}

/// The map or list that holds the end of a path, and the last step.
fn holder<'a, 'p>(item: &'a mut Item, path: &'p Path) -> Option<(&'a mut Value, &'p Step)> {
    let (last, steps) = path.steps.split_last()?;
    let attribute = item.get_mut(&path.attribute)?;
    let holder = steps.iter().try_fold(attribute, |value, step| match (step, value) {
        (Step::Member(name), Value::M(members)) => members.get_mut(name),
        (Step::Element(index), Value::L(elements)) => elements.get_mut(*index),
        _ => None,
    });
    Some((holder?, last))
}

fn set(item: &mut Item, path: &Path, value: Value) -> Result<()> {
    if path.steps.is_empty() {
        item.insert(path.attribute.clone(), value);
        return Ok(());
    }
    match holder(item, path) {
        Some((Value::M(members), Step::Member(name))) => {
            members.insert(name.clone(), value);
        }
        Some((Value::L(elements), Step::Element(index))) => match elements.get_mut(*index) {
            Some(element) => *element = value,
            None => elements.push(value),
        },
        _ => return Err(texts::path_invalid()),
    }
    Ok(())
}

fn remove(item: &mut Item, path: &Path) -> Result<()> {
    if path.steps.is_empty() {
        item.remove(&path.attribute);
        return Ok(());
    }
    match holder(item, path) {
        Some((Value::M(members), Step::Member(name))) => {
            members.remove(name);
        }
        Some((Value::L(elements), Step::Element(index))) => {
            if *index < elements.len() {
                elements.remove(*index);
            }
        }
        _ => return Err(texts::path_invalid()),
    }
    Ok(())
}

/// Of two elements of one list the one behind is greater.
fn order_of_elements(a: &Path, b: &Path) -> std::cmp::Ordering {
    let indexes = |path: &Path| -> Vec<usize> {
        let index = |step: &Step| match step {
            Step::Element(index) => Some(*index),
            Step::Member(_) => None,
        };
        path.steps.iter().filter_map(index).collect()
    };
    (&a.attribute, indexes(a)).cmp(&(&b.attribute, indexes(b)))
}

fn is_set(value: &Value) -> bool {
    matches!(value, Value::SS(_) | Value::NS(_) | Value::BS(_))
}

/// The name of a value's type in errors of `ADD` and `DELETE`.
fn long_type(value: &Value) -> &'static str {
    match value {
        Value::S(_) => "STRING",
        Value::N(_) => "NUMBER",
        Value::B(_) => "BINARY",
        Value::SS(_) => "STRING_SET",
        Value::NS(_) => "NUMBER_SET",
        Value::BS(_) => "BINARY_SET",
        Value::M(_) => "MAP",
        Value::L(_) => "LIST",
        Value::NULL(_) => "NULL",
        Value::BOOL(_) => "BOOLEAN",
    }
}
