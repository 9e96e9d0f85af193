//! Texts of expressions to trees.
//!
//! Ranks of operators, the loosest first: `OR`, `AND`, comparisons, sums, products, the minus
//! before an operand, `^` (which groups from the right). AWS does not document ranks; these are
//! usual.

use super::Flaw;
use super::flaws;
use super::lexer::{Lexer, Token};
use super::node::Node;
use super::operators::{Operator, RANKS};
use super::signatures::{self, Argument};

/// Deepest nesting of parentheses, arrays, calls, minuses and exponents.
pub(super) const DEPTH_MAX: usize = 32;
/// Functions of AWS's that need what this server has not.
const UNSUPPORTED: [&str; 6] = [
    "SEARCH",
    "ANOMALY_DETECTION_BAND",
    "INSIGHT_RULE_METRIC",
    "SERVICE_QUOTA",
    "DB_PERF_INSIGHTS",
    "LAMBDA",
];

/// Reads a whole text.
///
/// # Errors
/// See [`super::Expression::parse`].
pub(super) fn parse(text: &str) -> Result<Node, Flaw> {
    let mut lexer = Lexer::new(text);
    let token = lexer.next()?;
    if token == Token::Word("SELECT") {
        return Err(flaws::query());
    }
    let mut parser = Parser { token, lexer, depth: 0 };
    let node = parser.chain(&RANKS)?;
    if parser.token == Token::End { Ok(node) } else { Err(parser.unexpected()) }
}

/// A token that is looked at, and the text after it.
struct Parser<'a> {
    token: Token<'a>,
    lexer: Lexer<'a>,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn unexpected(&self) -> Flaw {
        flaws::syntax(&format!("unexpected {}", self.token))
    }

    fn advance(&mut self) -> Result<(), Flaw> {
        self.token = self.lexer.next()?;
        Ok(())
    }

    /// Whether this sign is next, which is then taken.
    fn takes(&mut self, sign: &str) -> Result<bool, Flaw> {
        let is_next = matches!(self.token, Token::Sign(next) if next == sign);
        if is_next {
            self.advance()?;
        }
        Ok(is_next)
    }

    fn expect(&mut self, sign: &str) -> Result<(), Flaw> {
        if self.takes(sign)? { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Reads something one level deeper.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Flaw>) -> Result<T, Flaw> {
        if self.depth == DEPTH_MAX {
            return Err(flaws::too_deep(DEPTH_MAX));
        }
        self.depth += 1;
        let read = read(self)?;
        self.depth -= 1;
        Ok(read)
    }

    /// Operands and the operators of the first of these ranks between them.
    fn chain(&mut self, ranks: &[&[Operator]]) -> Result<Node, Flaw> {
        let Some((rank, tighter)) = ranks.split_first() else {
            return self.negation();
        };
        let first = self.chain(tighter)?;
        let mut rest = Vec::new();
        while let Some(operator) = rank.iter().copied().find(|o| o.is_written(self.token)) {
            self.advance()?;
            rest.push((operator, self.chain(tighter)?));
        }
        Ok(if rest.is_empty() { first } else { Node::Chain(Box::new(first), rest) })
    }

    fn negation(&mut self) -> Result<Node, Flaw> {
        if self.takes("-")? {
            let of = self.nested(Self::negation)?;
            return Ok(Node::Negation(Box::new(of)));
        }
        let base = self.operand()?;
        if self.takes("^")? {
            let exponent = self.nested(Self::negation)?;
            return Ok(Node::Chain(Box::new(base), vec![(Operator::Power, exponent)]));
        }
        Ok(base)
    }

    fn operand(&mut self) -> Result<Node, Flaw> {
        match self.token {
            Token::Number(number) => {
                self.advance()?;
                Ok(Node::Number(number))
            }
            Token::Name(name) => {
                self.advance()?;
                if self.token == Token::Sign("(") {
                    return Err(flaws::no_function(name));
                }
                Ok(Node::Name(name.to_owned()))
            }
            Token::Word(name) => self.call(name),
            Token::Sign("(") => {
                self.advance()?;
                let inside = self.nested(|parser| parser.chain(&RANKS))?;
                self.expect(")")?;
                Ok(inside)
            }
            Token::Sign("[") => {
                self.advance()?;
                let nodes = self.list("]", |parser| parser.chain(&RANKS))?;
                Ok(Node::Array(nodes))
            }
            Token::Text(_) | Token::Sign(_) | Token::End => Err(self.unexpected()),
        }
    }

    /// One or more of something with commas between, up to a sign.
    fn list<T>(
        &mut self,
        end: &str,
        mut read: impl FnMut(&mut Self) -> Result<T, Flaw>,
    ) -> Result<Vec<T>, Flaw> {
        let mut list = vec![self.nested(&mut read)?];
        while self.takes(",")? {
            list.push(self.nested(&mut read)?);
        }
        self.expect(end)?;
        Ok(list)
    }

    fn call(&mut self, name: &str) -> Result<Node, Flaw> {
        // Before the next token is cut: arguments of these are other languages.
        if UNSUPPORTED.contains(&name) {
            return Err(flaws::unsupported(name));
        }
        let word = self.unexpected();
        self.advance()?;
        if !self.takes("(")? {
            return Err(word);
        }
        if !signatures::is_function(name) {
            return Err(flaws::no_function(name));
        }
        let arguments = if self.takes(")")? { Vec::new() } else { self.list(")", Self::argument)? };
        signatures::call(name, arguments)
    }

    fn argument(&mut self) -> Result<Argument<'a>, Flaw> {
        let argument = match self.token {
            Token::Text(text) => Argument::Text(text),
            Token::Word(word) if !UNSUPPORTED.contains(&word) => {
                if self.lexer.clone().next()? == Token::Sign("(") {
                    return Ok(Argument::Node(self.chain(&RANKS)?));
                }
                Argument::Word(word)
            }
            _ => return Ok(Argument::Node(self.chain(&RANKS)?)),
        };
        self.advance()?;
        Ok(argument)
    }
}
