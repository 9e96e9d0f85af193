//! Expressions as trees.

use super::calendar::Part;
use super::filling::Gap;
use super::functions::{Each, Statistic};
use super::operators::Operator;

/// A part of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Number(f64),
    /// The id of another query.
    Name(String),
    /// Every metric of the request, or those whose id has this text in it.
    Metrics(Option<String>),
    Negation(Box<Node>),
    /// Operators of one rank, from left to right: flat, since a text can have a thousand of them.
    Chain(Box<Node>, Vec<(Operator, Node)>),
    Array(Vec<Node>),
    Call(Function, Vec<Node>),
}

/// A function, with those of its arguments that are words; the number of others is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Each(Each),
    Summary(Statistic),
    Part(Part),
    /// `FILL(a, b)`, or with a word in place of `b`.
    Fill(Option<Gap>),
    If,
    Sort(Statistic, Order),
    Slice,
    Array(Array),
    Period,
    TimeSeries,
}

/// A function of an array of time series, and of nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Array {
    Count,
    First,
    Last,
    RemoveEmpty,
}

impl Array {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Count => "METRIC_COUNT",
            Self::First => "FIRST",
            Self::Last => "LAST",
            Self::RemoveEmpty => "REMOVE_EMPTY",
        }
    }
}

/// Which way `SORT` sorts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Ascending,
    Descending,
}

impl Node {
    /// Shows every node of the tree to `see`.
    pub(super) fn visit<'n>(&'n self, see: &mut impl FnMut(&'n Self)) {
        see(self);
        match self {
            Self::Number(_) | Self::Name(_) | Self::Metrics(_) => {}
            Self::Negation(of) => of.visit(see),
            Self::Chain(first, rest) => {
                first.visit(see);
                for (_, node) in rest {
                    node.visit(see);
                }
            }
            Self::Array(nodes) | Self::Call(_, nodes) => {
                for node in nodes {
                    node.visit(see);
                }
            }
        }
    }
}
