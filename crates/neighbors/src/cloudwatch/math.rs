//! Metric math: expressions over the time series of a request's other queries.
//!
//! ```text
//! text --lexer, parser, signatures--> Node --evaluator--> Value
//!                                      operators, functions, filling, calendar: Value(s) -> Value
//! ```
//!
//! Values are numbers, time series and arrays of time series. No result holds a point that is not
//! finite: a division by zero or the logarithm of a negative number is a point left out. A number
//! that does not exist (the mean of an empty series) is NaN until it meets a series.
//!
//! Bounds: texts nest at most [`parser::DEPTH_MAX`] deep, whichever way they do. Every node pays
//! for the points that it reads and for those it could make before it makes them, out of
//! [`Scope::points_max`], so that memory and time are in proportion to that and to the text.

mod calendar;
mod evaluator;
mod filling;
mod flaws;
mod functions;
mod lexer;
mod node;
mod operators;
mod parser;
mod signatures;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

/// Values at periods' starts (seconds since the epoch), ascending, no time twice.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cloudwatch) struct Series {
    pub(in crate::cloudwatch) points: Vec<(i64, f64)>,
    pub(in crate::cloudwatch) period_s: u32,
    pub(in crate::cloudwatch) label: String,
}

/// What an id of a request stands for, and what an expression makes of such.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cloudwatch) enum Value {
    /// Not a result that AWS lets an expression have; NaN when there is no such number.
    Scalar(f64),
    Series(Series),
    Many(Vec<Series>),
}

/// What is wrong with an expression, or not supported, in words for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cloudwatch) struct Flaw(pub(crate) String);

/// What an expression is evaluated over.
#[derive(Clone, Copy, Debug)]
pub(in crate::cloudwatch) struct Scope<'a> {
    /// The values of ids; those of [`Expression::names`] and of `metrics` are looked up.
    pub(in crate::cloudwatch) inputs: &'a BTreeMap<String, Value>,
    /// Ids of the queries that are metrics, in the request's order: what `METRICS()` is.
    pub(in crate::cloudwatch) metrics: &'a [String],
    /// Start of the request's first period.
    pub(in crate::cloudwatch) start_s: i64,
    /// End of the request's time, itself not in it.
    pub(in crate::cloudwatch) end_s: i64,
    /// The expression's own period, for series that are made of numbers.
    pub(in crate::cloudwatch) period_s: u32,
    /// Points that the evaluation may read and make altogether.
    pub(in crate::cloudwatch) points_max: usize,
}

/// An expression, read.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cloudwatch) struct Expression {
    root: node::Node,
}

impl Expression {
    /// Reads a text; how long it may be is the caller's to check.
    ///
    /// # Errors
    /// What of the text is no expression, which function is not supported or gets the wrong number
    /// of arguments.
    pub(in crate::cloudwatch) fn parse(text: &str) -> Result<Self, Flaw> {
        Ok(Self { root: parser::parse(text)? })
    }

    /// The ids that it uses by name; those that `METRICS` stands for are not among them.
    pub(in crate::cloudwatch) fn names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.root.visit(&mut |node| {
            if let node::Node::Name(name) = node {
                names.insert(name.as_str());
            }
        });
        names
    }

    /// Whether `METRICS` is in it, so that it needs every metric of the request.
    pub(in crate::cloudwatch) fn uses_metrics(&self) -> bool {
        let mut uses = false;
        self.root.visit(&mut |node| uses |= matches!(node, node::Node::Metrics(_)));
        uses
    }

    /// Computes it.
    ///
    /// # Errors
    /// An id without a value, an operand of the wrong type, or too many points.
    pub(in crate::cloudwatch) fn evaluate(&self, scope: &Scope<'_>) -> Result<Value, Flaw> {
        evaluator::evaluate(&self.root, scope)
    }
}

impl Series {
    /// A series like this one with other points; those that are not finite are left out, and a
    /// negative zero is no result of ours.
    fn with(&self, points: impl Iterator<Item = (i64, f64)>) -> Self {
        let points = points.filter(|point| point.1.is_finite());
        let points = points.map(|(time_s, value)| (time_s, value + 0.0)).collect();
        Self { points, period_s: self.period_s, label: self.label.clone() }
    }

    /// Its value at a time.
    fn at(&self, time_s: i64) -> Option<f64> {
        let found = self.points.binary_search_by_key(&time_s, |point| point.0).ok()?;
        self.points.get(found).map(|point| point.1)
    }

    /// What reading it costs; an empty one is not free.
    fn cost(&self) -> usize {
        self.points.len() + 1
    }
}

impl Value {
    /// What reading it costs.
    fn cost(&self) -> usize {
        match self {
            Self::Scalar(_) => 1,
            Self::Series(series) => series.cost(),
            Self::Many(many) => many.iter().fold(1, |sum, series| sum + series.cost()),
        }
    }

    /// Its type's name, as flaws have it.
    fn kind(&self) -> &'static str {
        match self {
            Self::Scalar(_) => "a number",
            Self::Series(_) => "a time series",
            Self::Many(_) => "an array of time series",
        }
    }
}
