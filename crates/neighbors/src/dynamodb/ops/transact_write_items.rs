//! `TransactWriteItems`.

use super::put_item::check_size;
use super::shapes::{Used, consumed};
use super::update_item::check_keys;
use crate::dynamodb::errors::{Result, fail};
use crate::dynamodb::expression::{Kind, Parameters};
use crate::dynamodb::rows::TokenRow;
use crate::dynamodb::service::DynamoDb;
use crate::dynamodb::texts;
use crate::dynamodb::value::{item_bytes, read_item, show_item};
use crate::dynamodb::write::{Change, Refused, Write, make_all};
use api::Text;
use api::dynamodb::{
    AttributeValue, CancellationReason, ConsumedCapacity, Error, ReturnConsumedCapacity,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, TransactWriteItemsInput,
    TransactWriteItemsOutput,
};
use base::Cx;
use kit::rows;
use ring::digest::{SHA256, digest};
use std::collections::BTreeMap;
use store::Transaction;

/// Tokens that are forgotten with each transaction, when their time is over.
const FORGOTTEN_AT_ONCE: usize = 100;

/// Makes several changes together, or none of them.
///
/// # Errors
/// `TransactionCanceled` with a reason for each change; `IdempotentParameterMismatch` the token was
/// used for another request; as `PutItem` of what is wrong of all.
pub(super) async fn transact_write_items(
    db: &DynamoDb,
    cx: &Cx,
    input: TransactWriteItemsInput,
) -> Result<TransactWriteItemsOutput> {
    let inner = &db.inner;
    let mut actions = Vec::new();
    for item in input.transact_items {
        actions.push(Action::new(item)?.read(db, cx)?);
    }
    let (writes, shows): (Vec<Write>, Vec<_>) = actions.into_iter().unzip();
    check_distinct(&writes)?;
    let request = digest_of(&writes);
    let now_ms = inner.env.clock.now_ms();
    let token = input.client_request_token.as_ref();
    let token = token.map(|token| TokenRow::key(cx.account, &cx.region, token));
    if let Some(key) = &token {
        let row: Option<TokenRow> = rows::get(&inner.store, key).map_err(|e| fail(cx, &e))?;
        match row.filter(|row| row.lives(now_ms)) {
            Some(row) if row.request == request => {
                let consumed_capacity = capacity(input.return_consumed_capacity, &writes);
                return Ok(TransactWriteItemsOutput { consumed_capacity, ..Default::default() });
            }
            Some(_) => return Err(texts::token_reused()),
            None => {}
        }
    }
    let forgotten = expired_tokens(db, cx, now_ms)?;
    let remember = |transaction: &mut Transaction| {
        for key in &forgotten {
            transaction.remove(key.clone());
        }
        if let Some(key) = &token {
            let row = TokenRow { request: request.clone(), made_ms: now_ms };
            rows::put(transaction, key.clone(), &row);
        }
    };
    match make_all(inner, cx, &writes, remember).await? {
        Ok(()) => {
            let consumed_capacity = capacity(input.return_consumed_capacity, &writes);
            Ok(TransactWriteItemsOutput { consumed_capacity, ..Default::default() })
        }
        Err(refused) => Err(canceled(refused, &shows)),
    }
}

type Shows = Option<ReturnValuesOnConditionCheckFailure>;

/// One action of the request, whichever it is.
struct Action {
    /// The operation that it needs the right to.
    name: &'static str,
    table_name: Text,
    key: BTreeMap<Text, AttributeValue>,
    kind: ActionKind,
    condition: Option<Text>,
    names: Option<BTreeMap<Text, Text>>,
    values: Option<BTreeMap<Text, AttributeValue>>,
    shows: Shows,
}

enum ActionKind {
    Check,
    Put(BTreeMap<Text, AttributeValue>),
    Delete,
    Update(Text),
}

impl Action {
    /// # Errors
    /// `Validation` it is none, or several.
    fn new(item: TransactWriteItem) -> Result<Self> {
        let TransactWriteItem { condition_check, put, delete, update } = item;
        Ok(match (condition_check, put, delete, update) {
            (Some(check), None, None, None) => Self {
                name: "ConditionCheckItem",
                table_name: check.table_name,
                key: check.key,
                kind: ActionKind::Check,
                condition: Some(check.condition_expression),
                names: check.expression_attribute_names,
                values: check.expression_attribute_values,
                shows: check.return_values_on_condition_check_failure,
            },
            (None, Some(put), None, None) => Self {
                name: "PutItem",
                table_name: put.table_name,
                key: BTreeMap::new(),
                kind: ActionKind::Put(put.item),
                condition: put.condition_expression,
                names: put.expression_attribute_names,
                values: put.expression_attribute_values,
                shows: put.return_values_on_condition_check_failure,
            },
            (None, None, Some(delete), None) => Self {
                name: "DeleteItem",
                table_name: delete.table_name,
                key: delete.key,
                kind: ActionKind::Delete,
                condition: delete.condition_expression,
                names: delete.expression_attribute_names,
                values: delete.expression_attribute_values,
                shows: delete.return_values_on_condition_check_failure,
            },
            (None, None, None, Some(update)) => Self {
                name: "UpdateItem",
                table_name: update.table_name,
                key: update.key,
                kind: ActionKind::Update(update.update_expression),
                condition: update.condition_expression,
                names: update.expression_attribute_names,
                values: update.expression_attribute_values,
                shows: update.return_values_on_condition_check_failure,
            },
            _ => return Err(texts::transaction_one_operation()),
        })
    }

    fn read(self, db: &DynamoDb, cx: &Cx) -> Result<(Write, Shows)> {
        let Self { name, table_name, key, kind, condition, names, values, shows } = self;
        let has_none = condition.is_none() && !matches!(kind, ActionKind::Update(_));
        let missing = has_none.then_some("ConditionExpression is null");
        let parameters = Parameters::new(names, values, missing)?;
        let key = read_item(key)?;
        let change = match kind {
            ActionKind::Check => Change::Check,
            ActionKind::Put(item) => {
                let item = read_item(item)?;
                check_size(&item)?;
                Change::Put(item)
            }
            ActionKind::Delete => Change::Delete,
            ActionKind::Update(text) => Change::Update(parameters.update(&text)?),
        };
        let condition = condition.map(|text| parameters.condition(Kind::Condition, &text));
        let condition = condition.transpose()?;
        parameters.check_used()?;
        let table = db.live_table(cx, name, &table_name)?;
        if let Change::Update(update) = &change {
            check_keys(update, &table.state().row.schema)?;
        }
        Ok((Write { table, key, condition, change }, shows))
    }
}

/// What the actions are, values included; the same actions have the same one.
fn digest_of(writes: &[Write]) -> String {
    let shown = |Write { table, key, condition, change }: &Write| {
        format!("{} {key:?} {condition:?} {change:?}\n", table.arn)
    };
    let text: String = writes.iter().map(shown).collect();
    base::hex::encode(digest(&SHA256, text.as_bytes()).as_ref())
}

/// No two actions are about one item.
fn check_distinct(writes: &[Write]) -> Result<()> {
    let mut keys = Vec::new();
    for write in writes {
        let schema = &write.table.state().row.schema;
        let item = match &write.change {
            Change::Put(item) => item,
            _ => &write.key,
        };
        // One of another type is found when the transaction runs.
        if !schema.fits(item) {
            continue;
        }
        let key = schema.of_item(item)?;
        let named = (write.table.arn.as_str(), key);
        if keys.contains(&named) {
            return Err(texts::transaction_same_item());
        }
        keys.push(named);
    }
    Ok(())
}

fn expired_tokens(db: &DynamoDb, cx: &Cx, now_ms: i64) -> Result<Vec<Vec<u8>>> {
    let prefix = TokenRow::prefix(cx.account, &cx.region);
    let rows = db.inner.store.scan(prefix.as_bytes(), None, FORGOTTEN_AT_ONCE);
    let mut expired = Vec::new();
    for (key, value) in rows {
        let row: TokenRow = rows::decode(&key, &value).map_err(|e| fail(cx, &e))?;
        if !row.lives(now_ms) {
            expired.push(key.to_vec());
        }
    }
    Ok(expired)
}

fn capacity(
    asked: Option<ReturnConsumedCapacity>,
    writes: &[Write],
) -> Option<Vec<ConsumedCapacity>> {
    // A unit to prepare and a unit to commit.
    let used = |write: &Write| match &write.change {
        Change::Put(item) => Used::Write(item_bytes(item), 2),
        _ => Used::Write(item_bytes(&write.key), 2),
    };
    let all = writes.iter().map(|write| consumed(asked, &write.table, &used(write)));
    all.collect()
}

fn canceled(refused: Vec<(usize, Refused)>, shows: &[Shows]) -> Error {
    let fine = || CancellationReason { code: Some("None".into()), ..Default::default() };
    let mut reasons: Vec<_> = shows.iter().map(|_| fine()).collect();
    for (place, why) in refused {
        let shows = shows[place] == Some(ReturnValuesOnConditionCheckFailure::AllOld);
        reasons[place] = match why {
            Refused::Condition(old) => CancellationReason {
                code: Some("ConditionalCheckFailed".into()),
                message: Some(texts::condition_failed(None).message().into()),
                item: old.filter(|_| shows).map(show_item),
            },
            Refused::Error(Error::Validation(message)) => CancellationReason {
                code: Some("ValidationError".into()),
                message: Some(message.into()),
                item: None,
            },
            Refused::Error(error) => return error,
        };
    }
    texts::transaction_canceled(reasons)
}
