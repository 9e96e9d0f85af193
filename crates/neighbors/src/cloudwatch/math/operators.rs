//! Operators, between numbers, time series and arrays of them.

use super::flaws;
use super::lexer::Token;
use super::{Flaw, Series, Value};
use std::cmp::Ordering;

/// What a series without a point at a time counts as there, beside one that has a point; `None`
/// would leave the point out.
///
/// AWS documents zero for arithmetic and for comparisons, with an example of a comparison.
const MISSING: Option<f64> = Some(0.0);

/// Operators by rank, the loosest first; `^` is not among them.
pub(super) const RANKS: [&[Operator]; 5] = [
    &[Operator::Or],
    &[Operator::And],
    &[
        Operator::Equal,
        Operator::Unequal,
        Operator::Less,
        Operator::Greater,
        Operator::AtMost,
        Operator::AtLeast,
    ],
    &[Operator::Plus, Operator::Minus],
    &[Operator::Times, Operator::Over],
];

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    Greater,
    AtMost,
    AtLeast,
    Plus,
    Minus,
    Times,
    Over,
    Power,
}

impl Operator {
    /// Its sign.
    fn sign(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::Greater => ">",
            Self::AtMost => "<=",
            Self::AtLeast => ">=",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Over => "/",
            Self::Power => "^",
        }
    }

    /// Whether a token is it: two of them are written in two ways.
    pub(super) fn is_written(self, token: Token<'_>) -> bool {
        match token {
            Token::Sign(sign) => sign == self.sign(),
            Token::Word("OR") => self == Self::Or,
            Token::Word("AND") => self == Self::And,
            _ => false,
        }
    }

    /// Of two numbers; NaN when either is, or when the result is not finite.
    fn apply(self, left: f64, right: f64) -> f64 {
        let Some(order) = left.partial_cmp(&right) else {
            return f64::NAN;
        };
        let truth = |is: bool| if is { 1.0 } else { 0.0 };
        let is_true = |number: f64| number != 0.0;
        let number = match self {
            Self::Or => truth(is_true(left) || is_true(right)),
            Self::And => truth(is_true(left) && is_true(right)),
            Self::Equal => truth(order == Ordering::Equal),
            Self::Unequal => truth(order != Ordering::Equal),
            Self::Less => truth(order == Ordering::Less),
            Self::Greater => truth(order == Ordering::Greater),
            Self::AtMost => truth(order != Ordering::Greater),
            Self::AtLeast => truth(order != Ordering::Less),
            Self::Plus => left + right,
            Self::Minus => left - right,
            Self::Times => left * right,
            Self::Over => left / right,
            Self::Power => left.powf(right),
        };
        if number.is_finite() { number } else { f64::NAN }
    }

    /// Of two values.
    ///
    /// # Errors
    /// Both are arrays.
    pub(super) fn combine(self, left: &Value, right: &Value) -> Result<Value, Flaw> {
        let many = |many: Vec<Series>| Ok(Value::Many(many));
        match (left, right) {
            (Value::Scalar(left), Value::Scalar(right)) => {
                Ok(Value::Scalar(self.apply(*left, *right)))
            }
            (Value::Series(left), Value::Scalar(right)) => {
                Ok(Value::Series(self.with_right(left, *right)))
            }
            (Value::Scalar(left), Value::Series(right)) => {
                Ok(Value::Series(self.with_left(*left, right)))
            }
            (Value::Series(left), Value::Series(right)) => {
                Ok(Value::Series(self.pair(left, right)))
            }
            (Value::Many(left), Value::Scalar(right)) => {
                many(left.iter().map(|one| self.with_right(one, *right)).collect())
            }
            (Value::Scalar(left), Value::Many(right)) => {
                many(right.iter().map(|one| self.with_left(*left, one)).collect())
            }
            (Value::Many(left), Value::Series(right)) => {
                many(left.iter().map(|one| self.pair(one, right)).collect())
            }
            // The array's labels stay, whichever side it is on.
            (Value::Series(left), Value::Many(right)) => {
                let one =
                    |one: &Series| Series { label: one.label.clone(), ..self.pair(left, one) };
                many(right.iter().map(one).collect())
            }
            (Value::Many(_), Value::Many(_)) => Err(flaws::operands(self.sign(), left, right)),
        }
    }

    fn with_right(self, left: &Series, right: f64) -> Series {
        left.with(left.points.iter().map(|&(time_s, value)| (time_s, self.apply(value, right))))
    }

    fn with_left(self, left: f64, right: &Series) -> Series {
        right.with(right.points.iter().map(|&(time_s, value)| (time_s, self.apply(left, value))))
    }

    /// Of two series, at the times of both.
    fn pair(self, left: &Series, right: &Series) -> Series {
        let points = Pairs { left: &left.points, right: &right.points };
        let combined = points.filter_map(|(time_s, left, right)| {
            let (left, right) = left.or(MISSING).zip(right.or(MISSING))?;
            Some((time_s, self.apply(left, right)))
        });
        let period_s = left.period_s.max(right.period_s);
        Series { period_s, ..left.with(combined) }
    }
}

/// What combining two values may cost: the points that it reads, and at most as many that it makes.
pub(super) fn cost(left: &Value, right: &Value) -> usize {
    let both = left.cost().saturating_add(right.cost());
    match (left, right) {
        (Value::Many(many), Value::Series(series)) | (Value::Series(series), Value::Many(many)) => {
            both.saturating_add(many.len().saturating_mul(series.cost()))
        }
        _ => both,
    }
}

/// The times of two series, ascending, with the value that either has there.
struct Pairs<'a> {
    left: &'a [(i64, f64)],
    right: &'a [(i64, f64)],
}

impl Iterator for Pairs<'_> {
    type Item = (i64, Option<f64>, Option<f64>);

    fn next(&mut self) -> Option<Self::Item> {
        let (left, right) = (self.left.first(), self.right.first());
        let time_s = left.into_iter().chain(right).map(|point| point.0).min()?;
        let take = |points: &mut &[(i64, f64)]| {
            let (first, rest) = points.split_first()?;
            (first.0 == time_s).then(|| {
                *points = rest;
                first.1
            })
        };
        Some((time_s, take(&mut self.left), take(&mut self.right)))
    }
}
