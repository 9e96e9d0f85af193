//! Trees to values.

use super::calendar::Part;
use super::filling::{self, Filler, Gap, Periods};
use super::flaws;
use super::flaws::{
    A_FILLER, A_NUMBER, A_SERIES, A_WHOLE_NUMBER, ID_OF_METRIC, NUMBERS_AND_SERIES, SERIES_OR_ARRAY,
};
use super::functions::{Each, Statistic};
use super::node::{Array, Function, Node, Order};
use super::operators::{self, Operator};
use super::{Flaw, Scope, Series, Value};
use std::borrow::Cow;
use std::cmp::Ordering;

const ARRAY: &str = "an array of time series";

/// Computes a whole tree.
///
/// # Errors
/// See [`super::Expression::evaluate`].
pub(super) fn evaluate(root: &Node, scope: &Scope<'_>) -> Result<Value, Flaw> {
    let mut evaluator = Evaluator { scope, points_left: scope.points_max };
    Ok(evaluator.value(root)?.into_owned())
}

/// What is evaluated over, and how many points may still be read and made.
struct Evaluator<'s> {
    scope: &'s Scope<'s>,
    points_left: usize,
}

/// A value that is the scope's until something makes another of it.
type Known<'s> = Cow<'s, Value>;

impl<'s> Evaluator<'s> {
    /// Pays for points before they are read or made.
    fn pay(&mut self, points: usize) -> Result<(), Flaw> {
        let left = self.points_left.checked_sub(points);
        self.points_left = left.ok_or_else(|| flaws::too_many_points(self.scope.points_max))?;
        Ok(())
    }

    /// A series without points.
    fn empty(&self) -> Series {
        Series { points: Vec::new(), period_s: self.scope.period_s, label: String::new() }
    }

    fn value(&mut self, node: &Node) -> Result<Known<'s>, Flaw> {
        match node {
            Node::Number(number) => Ok(Cow::Owned(Value::Scalar(*number))),
            Node::Name(name) => self.input(name).map(Cow::Borrowed),
            Node::Metrics(part) => self.metrics(part.as_deref()).map(Cow::Owned),
            Node::Negation(of) => {
                let of = self.value(of)?;
                self.combine(Operator::Times, &Value::Scalar(-1.0), &of).map(Cow::Owned)
            }
            Node::Chain(first, rest) => {
                let mut left = self.value(first)?;
                for (operator, right) in rest {
                    let right = self.value(right)?;
                    left = Cow::Owned(self.combine(*operator, &left, &right)?);
                }
                Ok(left)
            }
            Node::Array(nodes) => self.array(nodes).map(Cow::Owned),
            Node::Call(function, nodes) => self.call(*function, nodes).map(Cow::Owned),
        }
    }

    fn input(&mut self, name: &str) -> Result<&'s Value, Flaw> {
        let value = self.scope.inputs.get(name).ok_or_else(|| flaws::no_name(name))?;
        self.pay(value.cost())?;
        Ok(value)
    }

    fn combine(&mut self, operator: Operator, left: &Value, right: &Value) -> Result<Value, Flaw> {
        self.pay(operators::cost(left, right))?;
        operator.combine(left, right)
    }

    /// The metrics of the request, or those with this part in their ids.
    fn metrics(&mut self, part: Option<&str>) -> Result<Value, Flaw> {
        let mut many = Vec::new();
        for id in self.scope.metrics.iter().filter(|id| id.contains(part.unwrap_or_default())) {
            push(&mut many, self.input(id)?.clone())?;
        }
        Ok(Value::Many(many))
    }

    fn array(&mut self, nodes: &[Node]) -> Result<Value, Flaw> {
        let mut many = Vec::new();
        for node in nodes {
            let value = self.value(node)?;
            self.pay(value.cost())?;
            push(&mut many, value.into_owned())?;
        }
        Ok(Value::Many(many))
    }

    fn call(&mut self, function: Function, nodes: &[Node]) -> Result<Value, Flaw> {
        if let (Function::Period, [Node::Name(name)]) = (function, nodes) {
            return self.period(name);
        }
        let mut arguments = Vec::with_capacity(nodes.len());
        for node in nodes {
            arguments.push(self.value(node)?);
        }
        self.pay(arguments.iter().fold(0, |sum, argument| sum + argument.cost()))?;
        let mut rest = arguments.into_iter();
        let first = rest.next().expect("the parser lets no call without an argument through");
        let (second, third) = (rest.next(), rest.next());
        match function {
            Function::Each(each) => self::each(each, &first),
            Function::Summary(statistic) => {
                let summary = statistic.of_value(&first, self.empty());
                summary.ok_or_else(|| wrong(statistic.name(), SERIES_OR_ARRAY, &first))
            }
            Function::Part(part) => self.part(part, &first),
            Function::Fill(gap) => self.fill(&first, gap, second.as_deref()),
            Function::If => self.choose(&first, second, third),
            Function::TimeSeries => self.time_series(&first),
            Function::Period => Err(wrong("PERIOD", ID_OF_METRIC, &first)),
            Function::Sort(by, order) => {
                let count = second.map_or(Ok(usize::MAX), |count| whole("SORT", &count))?;
                Ok(Value::Many(sort(many("SORT", first)?, by, order, count)))
            }
            Function::Slice => {
                let start = second.map_or(Ok(0), |start| whole("SLICE", &start))?;
                let end = third.map_or(Ok(usize::MAX), |end| whole("SLICE", &end))?;
                let rest = many("SLICE", first)?.into_iter().skip(start);
                Ok(Value::Many(rest.take(end.saturating_sub(start)).collect()))
            }
            Function::Array(array) => Ok(self.of_array(array, many(array.name(), first)?)),
        }
    }

    fn of_array(&self, function: Array, mut many: Vec<Series>) -> Value {
        match function {
            Array::Count => Value::Scalar(many.len() as f64),
            Array::First => self.one(many.into_iter().next()),
            Array::Last => self.one(many.pop()),
            Array::RemoveEmpty => {
                many.retain(|series| !series.points.is_empty());
                Value::Many(many)
            }
        }
    }

    /// One series of an array, which may have none.
    fn one(&self, series: Option<Series>) -> Value {
        Value::Series(series.unwrap_or_else(|| self.empty()))
    }

    fn period(&mut self, name: &str) -> Result<Value, Flaw> {
        let input = self.input(name)?;
        match input {
            Value::Series(series) if self.scope.metrics.iter().any(|id| id == name) => {
                Ok(Value::Scalar(f64::from(series.period_s)))
            }
            _ => Err(flaws::argument("PERIOD", ID_OF_METRIC, &format!("'{name}'"))),
        }
    }

    /// A part of the times of all periods of a series.
    fn part(&mut self, part: Part, value: &Value) -> Result<Value, Flaw> {
        let Value::Series(series) = value else {
            return Err(wrong(part.name(), A_SERIES, value));
        };
        let periods = Periods::of(self.scope, series);
        self.pay(periods.count)?;
        let points = periods.starts().map(|time_s| (time_s, part.of(time_s)));
        Ok(Value::Series(series.with(points)))
    }

    /// A number at all periods of the expression.
    fn time_series(&mut self, value: &Value) -> Result<Value, Flaw> {
        let Value::Scalar(number) = value else {
            return Err(wrong("TIME_SERIES", A_NUMBER, value));
        };
        let periods = Periods::through(self.scope, 0, self.scope.period_s);
        self.pay(periods.count)?;
        let points = periods.starts().map(|time_s| (time_s, *number));
        Ok(Value::Series(self.empty().with(points)))
    }

    fn fill(
        &mut self,
        value: &Value,
        gap: Option<Gap>,
        with: Option<&Value>,
    ) -> Result<Value, Flaw> {
        let filler = match (gap, with) {
            (Some(gap), _) => Filler::Gap(gap),
            (None, Some(with)) => Filler::of(with).ok_or_else(|| wrong("FILL", A_FILLER, with))?,
            (None, None) => Filler::Scalar(f64::NAN),
        };
        let mut filled = |series: &Series| {
            let periods = Periods::of(self.scope, series);
            self.pay(periods.count)?;
            Ok(filling::fill(series, periods, filler))
        };
        match value {
            Value::Scalar(_) => Err(wrong("FILL", SERIES_OR_ARRAY, value)),
            Value::Series(series) => Ok(Value::Series(filled(series)?)),
            Value::Many(many) => {
                Ok(Value::Many(many.iter().map(filled).collect::<Result<_, Flaw>>()?))
            }
        }
    }

    /// `IF`: a number decides for a whole value, a series for each of its points.
    fn choose(
        &self,
        condition: &Value,
        when: Option<Known<'s>>,
        otherwise: Option<Known<'s>>,
    ) -> Result<Value, Flaw> {
        let refused = |array: &Value| wrong("IF", NUMBERS_AND_SERIES, array);
        let mut arms = when.iter().chain(&otherwise);
        if let Some(array) = arms.find(|value| matches!(value.as_ref(), Value::Many(_))) {
            return Err(refused(array));
        }
        let series = match condition {
            Value::Series(series) => series,
            Value::Scalar(number) => {
                let chosen = if *number == 0.0 { otherwise } else { when };
                let chosen = chosen.filter(|_| !number.is_nan());
                return Ok(chosen.map_or_else(|| self.one(None), Cow::into_owned));
            }
            Value::Many(_) => return Err(refused(condition)),
        };
        let points = series.points.iter().filter_map(|&(time_s, is)| {
            // AWS documents the difference: what is missing counts as 0 when the condition holds,
            // and is left out when it does not.
            let value = if is == 0.0 {
                at(otherwise.as_deref(), time_s)?
            } else {
                at(when.as_deref(), time_s).unwrap_or(0.0)
            };
            Some((time_s, value))
        });
        Ok(Value::Series(series.with(points)))
    }
}

/// A value at a time.
fn at(value: Option<&Value>, time_s: i64) -> Option<f64> {
    match value? {
        Value::Scalar(number) => Some(*number),
        Value::Series(series) => series.at(time_s),
        Value::Many(_) => None,
    }
}

/// A flaw of an argument's type.
fn wrong(function: &str, wanted: &str, given: &Value) -> Flaw {
    flaws::argument(function, wanted, given.kind())
}

/// Adds to an array; an array in it becomes its series.
fn push(many: &mut Vec<Series>, value: Value) -> Result<(), Flaw> {
    match value {
        Value::Scalar(_) => return Err(flaws::number_in_array()),
        Value::Series(series) => many.push(series),
        Value::Many(more) => many.extend(more),
    }
    Ok(())
}

fn each(each: Each, value: &Value) -> Result<Value, Flaw> {
    match value {
        Value::Scalar(_) => Err(wrong(each.name(), SERIES_OR_ARRAY, value)),
        Value::Series(series) => Ok(Value::Series(each.of(series))),
        Value::Many(many) => Ok(Value::Many(many.iter().map(|one| each.of(one)).collect())),
    }
}

/// An argument that is an array.
fn many(function: &str, value: Known<'_>) -> Result<Vec<Series>, Flaw> {
    match value.into_owned() {
        Value::Many(many) => Ok(many),
        other => Err(wrong(function, ARRAY, &other)),
    }
}

/// An argument that counts.
fn whole(function: &str, value: &Value) -> Result<usize, Flaw> {
    match value {
        Value::Scalar(number) if *number >= 0.0 && number.fract() == 0.0 => Ok(*number as usize),
        Value::Scalar(number) => {
            Err(flaws::argument(function, A_WHOLE_NUMBER, &number.to_string()))
        }
        other => Err(wrong(function, A_WHOLE_NUMBER, other)),
    }
}

/// The first so many series by a statistic; those without one are last either way.
fn sort(many: Vec<Series>, by: Statistic, order: Order, count: usize) -> Vec<Series> {
    let mut keyed: Vec<(f64, Series)> = many.into_iter().map(|one| (by.of(&one), one)).collect();
    keyed.sort_by(|(left, _), (right, _)| match (left.is_nan(), right.is_nan(), order) {
        (true, true, _) => Ordering::Equal,
        (true, false, _) => Ordering::Greater,
        (false, true, _) => Ordering::Less,
        (false, false, Order::Ascending) => left.total_cmp(right),
        (false, false, Order::Descending) => right.total_cmp(left),
    });
    keyed.into_iter().map(|(_, series)| series).take(count).collect()
}
