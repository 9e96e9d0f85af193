//! Conditions on fields, joined: what patterns of properties and of columns have in common.
//!
//! ```text
//! any  = all { '||' all }
//! all  = unit { '&&' unit }
//! unit = '(' any ')' | field [ operator value | IS NULL | IS TRUE | IS FALSE | NOT EXISTS ]
//! ```

use super::cursor::Cursor;
use super::literal::{Literal, Operator};

/// Deepest nesting of parentheses.
const DEPTH_MAX: usize = 32;

/// A condition, `F` is how a field is named.
#[derive(Debug)]
pub(super) enum Condition<F> {
    All(Vec<Condition<F>>),
    Any(Vec<Condition<F>>),
    Test(F, Test),
}

/// What is asked of one field.
#[derive(Debug)]
pub(super) enum Test {
    /// Nothing: it is only named.
    Named,
    Compares(Operator, Literal),
    IsNull,
    IsBool(bool),
    IsMissing,
}

impl<F> Condition<F> {
    /// Takes a condition; `field` takes the name of a field.
    pub(super) fn take(
        cursor: &mut Cursor<'_>,
        field: &dyn Fn(&mut Cursor<'_>) -> Option<F>,
    ) -> Option<Self> {
        Self::take_any(cursor, field, DEPTH_MAX)
    }

    fn take_any(
        cursor: &mut Cursor<'_>,
        field: &dyn Fn(&mut Cursor<'_>) -> Option<F>,
        depth: usize,
    ) -> Option<Self> {
        let mut any = vec![Self::take_all(cursor, field, depth)?];
        while cursor.eat("||") {
            any.push(Self::take_all(cursor, field, depth)?);
        }
        Some(if any.len() == 1 { any.remove(0) } else { Self::Any(any) })
    }

    fn take_all(
        cursor: &mut Cursor<'_>,
        field: &dyn Fn(&mut Cursor<'_>) -> Option<F>,
        depth: usize,
    ) -> Option<Self> {
        let mut all = vec![Self::take_unit(cursor, field, depth)?];
        while cursor.eat("&&") {
            all.push(Self::take_unit(cursor, field, depth)?);
        }
        Some(if all.len() == 1 { all.remove(0) } else { Self::All(all) })
    }

    fn take_unit(
        cursor: &mut Cursor<'_>,
        field: &dyn Fn(&mut Cursor<'_>) -> Option<F>,
        depth: usize,
    ) -> Option<Self> {
        if cursor.eat("(") {
            let inner = Self::take_any(cursor, field, depth.checked_sub(1)?)?;
            return cursor.eat(")").then_some(inner);
        }
        cursor.skip_blanks();
        let field = field(cursor)?;
        Some(Self::Test(field, Test::take(cursor)?))
    }

    /// Whether it holds; `test` asks one field.
    pub(super) fn holds(&self, test: &dyn Fn(&F, &Test) -> bool) -> bool {
        match self {
            Self::All(all) => all.iter().all(|condition| condition.holds(test)),
            Self::Any(any) => any.iter().any(|condition| condition.holds(test)),
            Self::Test(field, wanted) => test(field, wanted),
        }
    }

    /// Every field that it names.
    pub(super) fn fields<'a>(&'a self, out: &mut Vec<&'a F>) {
        match self {
            Self::All(inner) | Self::Any(inner) => {
                inner.iter().for_each(|condition| condition.fields(out));
            }
            Self::Test(field, _) => out.push(field),
        }
    }
}

impl Test {
    fn take(cursor: &mut Cursor<'_>) -> Option<Self> {
        if let Some(operator) = Operator::take(cursor) {
            return Some(Self::Compares(operator, Literal::take(cursor)?));
        }
        if cursor.eat_word("IS") {
            let tests = [
                ("NULL", Self::IsNull),
                ("TRUE", Self::IsBool(true)),
                ("FALSE", Self::IsBool(false)),
            ];
            return tests.into_iter().find(|(word, _)| cursor.eat_word(word)).map(|(_, test)| test);
        }
        if cursor.eat_word("NOT") {
            return cursor.eat_word("EXISTS").then_some(Self::IsMissing);
        }
        Some(Self::Named)
    }
}
