//! Which functions there are, and which arguments they take.

use super::Flaw;
use super::calendar::Part;
use super::filling::Gap;
use super::flaws;
use super::flaws::{A_STATISTIC, A_TEXT, AN_EXPRESSION, AN_ORDER, AT_MOST_ONE, ID_OF_METRIC};
use super::functions::{Each, Statistic};
use super::node::{Array, Function, Node, Order};

/// An argument as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Argument<'a> {
    Node(Node),
    /// A bare word, as `REPEAT`.
    Word(&'a str),
    /// Text in quotes.
    Text(&'a str),
}

impl Argument<'_> {
    /// What it is, as flaws have it.
    fn written(&self) -> String {
        match self {
            Self::Node(_) => "an expression".to_owned(),
            Self::Word(word) => format!("'{word}'"),
            Self::Text(text) => format!("\"{text}\""),
        }
    }

    fn word(&self) -> &str {
        if let Self::Word(word) = self { word } else { "" }
    }
}

/// Whether this is a function of this server.
pub(super) fn is_function(name: &str) -> bool {
    name == "METRICS" || function(name).is_some()
}

/// The function of this name, without its words.
fn function(name: &str) -> Option<Function> {
    Some(match name {
        "FILL" => Function::Fill(None),
        "IF" => Function::If,
        "SORT" => Function::Sort(Statistic::Sum, Order::Ascending),
        "SLICE" => Function::Slice,
        "METRIC_COUNT" => Function::Array(Array::Count),
        "FIRST" => Function::Array(Array::First),
        "LAST" => Function::Array(Array::Last),
        "REMOVE_EMPTY" => Function::Array(Array::RemoveEmpty),
        "PERIOD" => Function::Period,
        "TIME_SERIES" => Function::TimeSeries,
        _ => {
            let each = Each::named(name).map(Function::Each);
            let summary = Statistic::named(name).map(Function::Summary);
            return each.or(summary).or(Part::named(name).map(Function::Part));
        }
    })
}

impl Function {
    /// How many arguments it takes at least and at most, its words among them, and in words.
    fn argument_counts(self) -> (usize, usize, &'static str) {
        match self {
            Self::Fill(_) => (2, 2, "2 arguments"),
            Self::If | Self::Slice => (2, 3, "2 or 3 arguments"),
            Self::Sort(..) => (3, 4, "3 or 4 arguments"),
            _ => (1, 1, "1 argument"),
        }
    }
}

/// A call of a function that there is.
///
/// # Errors
/// The number of arguments is wrong, or one is a word or a text where none may be.
pub(super) fn call(name: &str, arguments: Vec<Argument<'_>>) -> Result<Node, Flaw> {
    let Some(function) = function(name) else {
        return metrics(name, &arguments);
    };
    let (least, most, wanted) = function.argument_counts();
    if !(least..=most).contains(&arguments.len()) {
        return Err(flaws::argument_count(name, wanted, arguments.len()));
    }
    let (function, arguments) = match function {
        Function::Fill(_) => fill(arguments),
        Function::Sort(..) => sort(name, arguments)?,
        Function::Period => period(name, arguments)?,
        _ => (function, arguments),
    };
    let node = |argument| match argument {
        Argument::Node(node) => Ok(node),
        other => Err(flaws::argument(name, AN_EXPRESSION, &other.written())),
    };
    Ok(Node::Call(function, arguments.into_iter().map(node).collect::<Result<_, _>>()?))
}

/// A function and what is left of its arguments without its words.
type Resolved<'a> = (Function, Vec<Argument<'a>>);

/// `METRICS()` or `METRICS("text")`.
fn metrics(name: &str, arguments: &[Argument<'_>]) -> Result<Node, Flaw> {
    match arguments {
        [] => Ok(Node::Metrics(None)),
        [Argument::Text(text)] => Ok(Node::Metrics(Some((*text).to_owned()))),
        [other] => Err(flaws::argument(name, A_TEXT, &other.written())),
        more => Err(flaws::argument_count(name, AT_MOST_ONE, more.len())),
    }
}

/// `FILL(a, REPEAT)`; another word stays, and is refused as an argument.
fn fill(mut arguments: Vec<Argument<'_>>) -> Resolved<'_> {
    let gap = match arguments.last().map_or("", Argument::word) {
        "REPEAT" => Some(Gap::Repeat),
        "LINEAR" => Some(Gap::Linear),
        _ => None,
    };
    if gap.is_some() {
        arguments.pop();
    }
    (Function::Fill(gap), arguments)
}

/// `SORT(a, AVG, DESC)`, perhaps with how many.
fn sort<'a>(name: &str, arguments: Vec<Argument<'a>>) -> Result<Resolved<'a>, Flaw> {
    let mut rest = arguments.into_iter();
    let (array, by, order) = (rest.next(), rest.next(), rest.next());
    let statistic = match by.as_ref().map_or("", Argument::word) {
        "AVG" => Statistic::Mean,
        "MIN" => Statistic::Minimum,
        "MAX" => Statistic::Maximum,
        "SUM" => Statistic::Sum,
        _ => {
            let given = by.map(|argument| argument.written()).unwrap_or_default();
            return Err(flaws::argument(name, A_STATISTIC, &given));
        }
    };
    let direction = match order.as_ref().map_or("", Argument::word) {
        "ASC" => Order::Ascending,
        "DESC" => Order::Descending,
        _ => {
            let given = order.map(|argument| argument.written()).unwrap_or_default();
            return Err(flaws::argument(name, AN_ORDER, &given));
        }
    };
    Ok((Function::Sort(statistic, direction), array.into_iter().chain(rest).collect()))
}

/// `PERIOD(m1)`: of a metric, never of what an expression makes.
fn period<'a>(name: &str, arguments: Vec<Argument<'a>>) -> Result<Resolved<'a>, Flaw> {
    match arguments.as_slice() {
        [Argument::Node(Node::Name(_))] => Ok((Function::Period, arguments)),
        others => {
            let given = others.first().map(Argument::written).unwrap_or_default();
            Err(flaws::argument(name, ID_OF_METRIC, &given))
        }
    }
}
