//! Who may do what: groups and streams as policies name them, and roles that are passed on.
//!
//! AWS asks about a group under `log-group:NAME:log-stream:`, which policies match that say
//! `log-group:NAME:*`; those that name the group alone are understood here, too.

use super::errors::Result;
use super::groups::{Group, GroupId};
use super::service::{Inner, SERVICE};
use super::stream::Stream;
use super::texts;
use api::Text;
use base::Cx;
use base::policy::{self, Attached, Context, Denial, Permissions, Request};
use kit::Shared;
use std::sync::Arc;

/// The service as roles trust it.
pub(super) const PRINCIPAL: &str = "logs.amazonaws.com";

const SHARED: Shared = Shared { service: SERVICE, others: &[], owners: &[] };

/// Whether the caller's policies let him do this with a group.
///
/// # Errors
/// `AccessDenied`.
pub(super) fn authorize(cx: &Cx, action: &str, id: &GroupId) -> Result<()> {
    authorize_any(cx, action, || [id.stream_arn(""), id.arn()])
}

/// As [`authorize`], with a stream of it that is to be made.
///
/// # Errors
/// `AccessDenied`.
pub(super) fn authorize_new_stream(
    cx: &Cx,
    action: &str,
    (id, stream): (&GroupId, &str),
) -> Result<()> {
    authorize_any(cx, action, || [id.stream_arn(stream), id.arn()])
}

/// Whether the caller's policies let him list groups, or do what concerns none.
///
/// # Errors
/// `AccessDenied`.
pub(super) fn authorize_listing(cx: &Cx, action: &str) -> Result<()> {
    let id = GroupId { account: cx.account, region: cx.region.clone(), name: "".into() };
    let arn = id.stream_arn("");
    SHARED.authorize(cx, action, &arn).map_err(|denial| texts::denied(cx, action, &arn, denial))
}

/// One of two names of a thing is enough, but no policy may be against either.
fn authorize_any(cx: &Cx, action: &str, arns: impl Fn() -> [String; 2]) -> Result<()> {
    if cx.permissions == Permissions::All {
        return Ok(());
    }
    let arns = arns();
    let decided = arns.each_ref().map(|arn| SHARED.authorize(cx, action, arn));
    let is_against = |denial: &Denial| {
        matches!(denial, Denial::ByIdentity | Denial::ByLimit(_) | Denial::ByResource)
    };
    for (arn, decided) in arns.iter().zip(&decided) {
        if let Err(denial) = decided.as_ref().map_err(|denial| *denial)
            && is_against(&denial)
        {
            return Err(texts::denied(cx, action, arn, denial));
        }
    }
    match decided {
        [Err(denial), Err(_)] => Err(texts::denied(cx, action, &arns[0], denial)),
        _ => Ok(()),
    }
}

/// Whether the caller may give this role to the service.
///
/// # Errors
/// `AccessDenied`.
pub(super) fn authorize_pass(cx: &Cx, role_arn: &str) -> Result<()> {
    let context = Context { passed_to_service: Some(PRINCIPAL), ..Context::default() };
    let request = Request { cx, action: "iam:PassRole", resource: role_arn, context };
    policy::decide(&request, Attached::OWNED)
        .map_err(|denial| texts::denied_pass(cx, role_arn, denial))
}

/// A group of the caller's by its name.
pub(super) fn own(cx: &Cx, name: &str) -> GroupId {
    GroupId { account: cx.account, region: cx.region.clone(), name: name.into() }
}

impl Inner {
    /// A group of the caller's, if it is there and he may do this with it.
    ///
    /// # Errors
    /// `AccessDenied`; `ResourceNotFound`.
    pub(super) fn group(&self, cx: &Cx, action: &str, name: &str) -> Result<Arc<Group>> {
        let id = own(cx, name);
        authorize(cx, action, &id)?;
        self.groups.get(&id).ok_or_else(texts::no_such_group)
    }

    /// As [`Inner::group`], by a name or by a name or an ARN.
    ///
    /// # Errors
    /// `AccessDenied`; `ResourceNotFound`; `InvalidParameter` not one of them.
    pub(super) fn named_group(
        &self,
        cx: &Cx,
        action: &str,
        (name, identifier): (Option<&Text>, Option<&Text>),
    ) -> Result<Arc<Group>> {
        let id = named(cx, name, identifier)?;
        authorize(cx, action, &id)?;
        self.groups.get(&id).ok_or_else(texts::no_such_group)
    }

    /// A stream of a group, if it is there and the caller may do this with it.
    ///
    /// # Errors
    /// `AccessDenied`; `ResourceNotFound`.
    pub(super) fn stream(
        &self,
        cx: &Cx,
        action: &str,
        (id, name): (&GroupId, &str),
    ) -> Result<(Arc<Group>, Arc<Stream>)> {
        if cx.permissions != Permissions::All {
            let arn = id.stream_arn(name);
            SHARED
                .authorize(cx, action, &arn)
                .map_err(|denial| texts::denied(cx, action, &arn, denial))?;
        }
        let group = self.groups.get(id).ok_or_else(texts::no_such_group)?;
        let stream = group.stream(name).ok_or_else(texts::no_such_stream)?;
        Ok((group, stream))
    }

    /// A group whose tags are asked for.
    ///
    /// # Errors
    /// `AccessDenied`; `InvalidParameter` no group's ARN; `ResourceNotFound`.
    pub(super) fn tagged(&self, cx: &Cx, action: &str, arn: &str) -> Result<Arc<Group>> {
        let id = GroupId::parse_arn(arn).ok_or_else(|| texts::invalid_arn(arn))?;
        authorize_any(cx, action, || [id.arn(), id.stream_arn("")])?;
        let is_own = id.account == cx.account && id.region == cx.region;
        self.groups.get(&id).filter(|_| is_own).ok_or_else(texts::no_such_resource)
    }
}

/// Which group a request names in one of two ways.
///
/// # Errors
/// `InvalidParameter` none, or both; `ResourceNotFound` one of another account or region.
pub(super) fn named(cx: &Cx, name: Option<&Text>, identifier: Option<&Text>) -> Result<GroupId> {
    match (name, identifier) {
        (Some(name), None) | (None, Some(name)) if !name.starts_with("arn:") => Ok(own(cx, name)),
        (Some(arn), None) | (None, Some(arn)) => {
            let id = GroupId::parse_arn(arn).ok_or_else(|| texts::invalid_arn(arn))?;
            let is_own = id.account == cx.account && id.region == cx.region;
            if is_own { Ok(id) } else { Err(texts::no_such_group()) }
        }
        (Some(_), Some(_)) => Err(texts::both_names()),
        (None, None) => Err(texts::no_name()),
    }
}
