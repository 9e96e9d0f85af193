//! What operations about roles and about users have in common.

use super::shapes;
use crate::iam::errors::Result;
use crate::iam::holder::{Holder, Live, arn_of};
use crate::iam::paging::{Page, Pager};
use crate::iam::policy_name::PolicyName;
use crate::iam::rows::Entity;
use crate::iam::service::{Iam, authorize};
use crate::iam::{documents, ids, texts};
use api::Text;
use api::iam::{AttachedPolicy, Tag};
use base::Cx;
use kit::{TagTrouble, Tags};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Most managed policies of a role or a user (AWS's quota).
const ATTACHED_MAX: usize = 10;

/// Marker and `MaxItems` of a listing.
pub(super) type AskedPage<'a> = (Option<&'a Text>, Option<i32>);

/// What a new role or user is made of.
pub(super) struct Asked<'a> {
    pub(super) action: &'static str,
    pub(super) id_prefix: &'static str,
    /// Most of the kind in an account.
    pub(super) most: usize,
    pub(super) name: &'a str,
    pub(super) path: Option<&'a str>,
    pub(super) boundary: Option<&'a str>,
    pub(super) tags: Option<&'a [Tag]>,
}

/// What is common to a new role and a new user.
///
/// # Errors
/// `EntityAlreadyExists`, `NoSuchEntity` the boundary, `LimitExceeded`, `InvalidInput`,
/// `AccessDenied`.
pub(super) fn new_entity<R: Holder>(service: &Iam, cx: &Cx, asked: &Asked<'_>) -> Result<Entity> {
    let path = asked.path.unwrap_or("/");
    authorize(cx, asked.action, &arn_of::<R>(cx, path, asked.name))?;
    let inner = &service.inner;
    if inner.is_taken::<R>(cx.account, asked.name) {
        return Err(texts::holder_exists(R::KIND, asked.name));
    }
    let tags = read_tags(R::KIND.title(), asked.tags.unwrap_or_default())?;
    let boundary = match asked.boundary {
        None => None,
        Some(arn) => Some(service.attachable(cx.account, arn, texts::no_such_boundary)?),
    };
    if inner.list::<R>(cx.account).len() >= asked.most {
        let quota = format!("{}sPerAccount", R::KIND.title());
        return Err(texts::quota(&quota, asked.most));
    }
    Ok(Entity {
        name: asked.name.to_owned(),
        path: path.to_owned(),
        id: ids::new_id(&*inner.env.rng, asked.id_prefix),
        partition: cx.partition.to_owned(),
        created_ms: service.now_ms(),
        boundary,
        tags,
        inline: BTreeMap::new(),
        attached: BTreeSet::new(),
    })
}

/// Whether nothing hangs on it any more.
///
/// # Errors
/// `DeleteConflict`.
pub(super) fn check_bare(entity: &Entity) -> Result<()> {
    match () {
        () if !entity.attached.is_empty() => Err(texts::must_detach()),
        () if !entity.inline.is_empty() => Err(texts::must_delete_inline()),
        () => Ok(()),
    }
}

/// Lets a managed policy count.
///
/// # Errors
/// `NoSuchEntity`, `LimitExceeded`, `InvalidInput`; what the store says.
pub(super) async fn attach<R: Holder>(
    service: &Iam,
    cx: &Cx,
    live: &Live<R>,
    arn: &str,
) -> Result<()> {
    let name = service.attachable(cx.account, arn, texts::not_attachable)?;
    let attached = &live.entity().attached;
    if attached.contains(&name) {
        return Ok(());
    }
    if attached.len() >= ATTACHED_MAX {
        let quota = format!("PoliciesPer{}", R::KIND.title());
        return Err(texts::quota(&quota, ATTACHED_MAX));
    }
    service.update(cx, live, |row| _ = row.entity_mut().attached.insert(name)).await
}

/// Lets a managed policy no longer count.
///
/// # Errors
/// `NoSuchEntity`, `InvalidInput`; what the store says.
pub(super) async fn detach<R: Holder>(
    service: &Iam,
    cx: &Cx,
    live: &Live<R>,
    arn: &str,
) -> Result<()> {
    let name = PolicyName::parse(arn).ok_or_else(|| texts::invalid_arn(arn))?;
    if !live.entity().attached.contains(&name) {
        return Err(texts::no_such_policy(arn));
    }
    service.update(cx, live, |row| _ = row.entity_mut().attached.remove(&name)).await
}

/// Puts an inline policy: its name and its document.
///
/// # Errors
/// `MalformedPolicyDocument`, `LimitExceeded`; what the store says.
pub(super) async fn put_inline<R: Holder>(
    service: &Iam,
    cx: &Cx,
    live: &Live<R>,
    (name, document): (&str, &str),
) -> Result<()> {
    let Entity { inline, name: holder, .. } = live.entity();
    let others = inline.iter().filter(|(known, _)| known.as_str() != name);
    let characters: usize = others.map(|(_, document)| documents::size(document)).sum();
    if characters + documents::size(document) > R::KIND.inline_characters_max() {
        return Err(texts::inline_too_long(R::KIND, holder));
    }
    documents::identity(document)?;
    let (name, document) = (name.to_owned(), document.to_owned());
    service.update(cx, live, |row| _ = row.entity_mut().inline.insert(name, document)).await
}

/// Removes an inline policy.
///
/// # Errors
/// `NoSuchEntity`; what the store says.
pub(super) async fn delete_inline<R: Holder>(
    service: &Iam,
    cx: &Cx,
    live: &Live<R>,
    name: &str,
) -> Result<()> {
    inline(live, name)?;
    service.update(cx, live, |row| _ = row.entity_mut().inline.remove(name)).await
}

/// An inline policy as answers hold it.
///
/// # Errors
/// `NoSuchEntity`.
pub(super) fn inline<R: Holder>(live: &Live<R>, name: &str) -> Result<Text> {
    let document = live.entity().inline.get(name);
    let document = document.ok_or_else(|| texts::no_such_inline(R::KIND, name))?;
    Ok(documents::encoded(document))
}

/// A page of the names of inline policies.
///
/// # Errors
/// `Validation` the marker.
pub(super) fn inline_names<R: Holder>(
    service: &Iam,
    live: &Live<R>,
    (marker, max_items): AskedPage<'_>,
) -> Result<Page<Text>> {
    let pager = Pager::new(service, "ListInlinePolicies", marker, max_items)?;
    let names = live.entity().inline.keys().map(|name| Text::from(name.as_str()));
    Ok(pager.cut(names, ToString::to_string))
}

/// A page of managed policies under a path, in order of their names.
///
/// # Errors
/// `Validation` the marker.
pub(super) fn attached<R: Holder>(
    service: &Iam,
    live: &Live<R>,
    path_prefix: Option<&str>,
    (marker, max_items): AskedPage<'_>,
) -> Result<Page<AttachedPolicy>> {
    let pager = Pager::new(service, "ListAttachedPolicies", marker, max_items)?;
    let Entity { attached, partition, .. } = live.entity();
    let prefix = path_prefix.unwrap_or("/");
    let mut names: Vec<_> = attached.iter().filter(|n| n.path().starts_with(prefix)).collect();
    names.sort_by_key(|name| (name.name().to_owned(), (*name).clone()));
    let policies = names.into_iter().map(|name| AttachedPolicy {
        policy_name: Some(name.name().into()),
        policy_arn: Some(name.arn(partition).into()),
    });
    Ok(pager.count(policies))
}

/// A page of tags.
///
/// # Errors
/// `Validation` the marker.
pub(super) fn tags<R: Holder>(
    service: &Iam,
    live: &Live<R>,
    (marker, max_items): AskedPage<'_>,
) -> Result<Page<Tag>> {
    let pager = Pager::new(service, "ListTags", marker, max_items)?;
    Ok(pager.count(shapes::tags(&live.entity().tags)))
}

/// Adds tags.
///
/// # Errors
/// `InvalidInput`, `LimitExceeded`; what the store says.
pub(super) async fn tag<R: Holder>(
    service: &Iam,
    cx: &Cx,
    live: &Live<R>,
    added: &[Tag],
) -> Result<()> {
    let mut tags = live.entity().tags.clone();
    add_tags(R::KIND.title(), &mut tags, added)?;
    service.update(cx, live, |row| row.entity_mut().tags = tags).await
}

/// Removes tags.
///
/// # Errors
/// What the store says.
pub(super) async fn untag<R: Holder>(
    service: &Iam,
    cx: &Cx,
    live: &Live<R>,
    keys: &[Text],
) -> Result<()> {
    let keys = keys.iter().map(Text::as_str);
    service.update(cx, live, |row| row.entity_mut().tags.remove(keys)).await
}

/// Tags of something new of this kind.
///
/// # Errors
/// `InvalidInput`, `LimitExceeded`.
pub(super) fn read_tags(kind: &str, sent: &[Tag]) -> Result<Tags> {
    let mut tags = Tags::default();
    add_tags(kind, &mut tags, sent)?;
    Ok(tags)
}

/// Adds tags to others.
///
/// # Errors
/// `InvalidInput`, `LimitExceeded`.
pub(super) fn add_tags(kind: &str, tags: &mut Tags, sent: &[Tag]) -> Result<()> {
    let mut keys = HashSet::new();
    if !sent.iter().all(|tag| keys.insert(tag.key.to_lowercase())) {
        return Err(texts::duplicate_tag());
    }
    let trouble = |trouble| match trouble {
        TagTrouble::Reserved(_) => texts::reserved_tag(),
        TagTrouble::TooMany => texts::too_many_tags(kind),
    };
    let sent = sent.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
    tags.add(Tags::new(sent).map_err(trouble)?).map_err(trouble)
}
