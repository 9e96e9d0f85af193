//! The resource policy that hangs on a thing, and who may reach the thing by it.

use crate::rows;
use base::Cx;
use base::policy::{self, Attached, Context, Denial, Permissions, Policy, Request, Stored};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::Part;

/// A policy document as the client wrote it, and as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PolicyRow(pub String);

/// The policy of one resource, when one is set.
#[derive(Default)]
pub struct PolicySlot(RwLock<Option<Arc<Policy>>>);

/// What a service lets policies of its resources decide. Operations by their names, without the
/// service before them.
#[derive(Debug)]
pub struct Shared {
    /// The service in the names of actions, as `kinesis`.
    pub service: &'static str,
    /// What a policy may let another account do; everything else is the owner's, also under a
    /// wildcard.
    pub others: &'static [&'static str],
    /// What no policy keeps its owner from: else it could never be taken back.
    pub owners: &'static [&'static str],
}

/// The resource that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Its ARN.
    pub arn: &'a str,
    /// Whether the caller's account owns it.
    pub is_owned: bool,
    /// What the request has beside.
    pub context: Context<'a>,
}

impl<'a> Target<'a> {
    /// Of a request that has nothing beside.
    pub fn new(arn: &'a str, is_owned: bool) -> Self {
        Self { arn, is_owned, context: Context::default() }
    }
}

impl PolicySlot {
    /// The policy that is stored under a key. One that is not understood lets nobody in, and is
    /// told.
    ///
    /// # Errors
    /// `Corrupt` the row cannot be read.
    pub fn load(store: &Part, key: &[u8]) -> store::Result<Self> {
        let Some(PolicyRow(document)) = rows::get(store, key)? else { return Ok(Self::default()) };
        let policy = match Policy::read_stored(&document) {
            Stored::Policy(policy) => policy,
            Stored::Closed(policy, error) => {
                let resource = String::from_utf8_lossy(key);
                tracing::error!(
                    %resource, %error,
                    "a stored policy is not understood, so it lets nobody in: put it again or delete it"
                );
                policy
            }
        };
        Ok(Self(RwLock::new(Some(Arc::new(policy)))))
    }

    /// Lets a policy that the catalog has now decide.
    pub fn replace(&self, policy: Option<Policy>) {
        *self.0.write() = policy.map(Arc::new);
    }

    /// Whether the caller may do this with the resource: his policies and this one decide.
    ///
    /// # Errors
    /// Which policy is against it, or missing.
    pub fn decide(
        &self,
        shared: &Shared,
        cx: &Cx,
        action: &str,
        Target { arn, is_owned, context }: Target<'_>,
    ) -> Result<(), Denial> {
        let policy = self.0.read().clone();
        let policy = policy.filter(|_| !(is_owned && shared.owners.contains(&action)));
        if is_owned && policy.is_none() && cx.permissions == Permissions::All {
            return Ok(());
        }
        let can_share = shared.others.contains(&action);
        let attached = Attached { is_owned, policy: policy.as_deref(), can_share };
        shared.ask(cx, action, (arn, context), attached)
    }
}

impl Shared {
    /// Whether the caller's own policies let him do what concerns nothing with a policy of its own:
    /// his account, or what does not exist yet.
    ///
    /// # Errors
    /// Which policy is against it, or missing.
    pub fn authorize(&self, cx: &Cx, action: &str, resource: &str) -> Result<(), Denial> {
        if cx.permissions == Permissions::All {
            return Ok(());
        }
        self.ask(cx, action, (resource, Context::default()), Attached::OWNED)
    }

    fn ask(
        &self,
        cx: &Cx,
        action: &str,
        (resource, context): (&str, Context<'_>),
        attached: Attached<'_>,
    ) -> Result<(), Denial> {
        let named = format!("{}:{action}", self.service);
        let request = Request { cx, action: &named, resource, context };
        policy::decide(&request, attached)
    }
}

/// What a caller is told whom the policies do not let: the words of every service that asks IAM.
/// The action by its service and its name.
///
/// Source: observed (the same in answers of all services).
pub fn denied(cx: &Cx, (service, action): (&str, &str), arn: &str, denial: Denial) -> String {
    let caller = &cx.caller_arn;
    let end = match denial {
        Denial::ByIdentity | Denial::ByLimit(_) | Denial::ByResource => String::new(),
        Denial::NoIdentity | Denial::NoLimit(_) | Denial::NoResource => {
            format!(" the {service}:{action} action")
        }
    };
    format!(
        "User: {caller} is not authorized to perform: {service}:{action} on resource: {arn} \
         {denial}{end}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{AccountId, Region};

    const ARN: &str = "arn:aws:sns:us-east-1:111111111111:t";
    const SHARED: Shared =
        Shared { service: "sns", others: &["Publish"], owners: &["SetTopicAttributes"] };

    fn slot(effect: &str, action: &str) -> PolicySlot {
        let slot = PolicySlot::default();
        let document = format!(
            r#"{{"Statement":{{"Effect":"{effect}","Principal":"*","Action":"{action}",
                "Resource":"{ARN}"}}}}"#
        );
        slot.replace(Some(Policy::parse(&document).unwrap()));
        slot
    }

    /// What the owner's account and another one hear.
    fn asked(slot: &PolicySlot, action: &str) -> [Option<Denial>; 2] {
        ["111111111111", "222222222222"].map(|account| {
            let cx = Cx::of_service(AccountId::parse(account).unwrap(), Region::default());
            let target = Target::new(ARN, account.starts_with('1'));
            slot.decide(&SHARED, &cx, action, target).err()
        })
    }

    #[test]
    fn owner_and_others() {
        let none = PolicySlot::default();
        assert_eq!(asked(&none, "Publish"), [None, Some(Denial::NoResource)]);
        assert_eq!(asked(&slot("Allow", "sns:*"), "Publish"), [None, None]);
        let told = asked(&slot("Allow", "sns:*"), "DeleteTopic");
        assert_eq!(told, [None, Some(Denial::NoResource)], "what no policy shares");
        let denied = Some(Denial::ByResource);
        assert_eq!(asked(&slot("Deny", "sns:*"), "Publish"), [denied, denied]);
        let told = asked(&slot("Deny", "sns:*"), "SetTopicAttributes");
        assert_eq!(told[0], None, "else it could never be taken back");
        assert_eq!(asked(&slot("Deny", "sqs:*"), "Publish")[0], None, "of another service");
    }

    #[test]
    fn callers_without_rights_may_nothing() {
        let mut cx = Cx::of_service(AccountId::DEFAULT, Region::default());
        assert_eq!(SHARED.authorize(&cx, "ListTopics", "*"), Ok(()));
        cx.permissions = Permissions::By([].into());
        assert_eq!(SHARED.authorize(&cx, "ListTopics", "*"), Err(Denial::NoIdentity));
    }
}
