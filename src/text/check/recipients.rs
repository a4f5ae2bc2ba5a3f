//! The messages about the app's 可见范围, and about recipients in it or not.

use super::{labelled, list};
use crate::error::{Exit, Failure};
use crate::wecom::Agent;

/// The most names in a list.
const NAMES_MAX: usize = 8;

/// A member, department or tag.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RecipientId {
    /// A userid.
    Member(String),
    Party(String),
    Tag(String),
}

/// The source of a recipient.
#[derive(Debug)]
pub(crate) enum Origin {
    Settings,
    /// A line of `[mail]`, with this pattern.
    Mail(String),
    /// `--send`.
    Option,
}

/// The reachability of a recipient.
#[derive(Debug)]
pub(crate) enum Reach {
    Active,
    InScope,
    /// A tag with this many members and departments in scope.
    TagOf(usize),
    NotInScope,
    /// There is no such member, or he is not in scope.
    NoMember,
    NoParty,
    NoTag,
    /// A tag without members in scope.
    EmptyTag,
    /// In scope, but neither in WeCom nor a follower of 微信插件.
    Unjoined,
    Disabled,
    Left,
    /// WeCom does not say, for this reason.
    Unknown(String),
}

/// Describes the app's 可见范围.
pub(crate) fn scope(agent: &Agent) -> String {
    let mut words = Vec::new();
    let (root, parties): (Vec<&String>, _) = agent.parties.iter().partition(|id| *id == "1");
    if !root.is_empty() {
        words.push(whole_company());
    }
    if !agent.users.is_empty() {
        let users: Vec<&String> = agent.users.iter().collect();
        words.push(members(users.len(), some(&users)));
    }
    if !parties.is_empty() {
        words.push(departments(parties.len(), some(&parties)));
    }
    if !agent.tags.is_empty() {
        let tags: Vec<&String> = agent.tags.iter().collect();
        words.push(tags_of(tags.len(), some(&tags)));
    }
    list(&words)
}

/// Lists the first names.
fn some(names: &[&String]) -> String {
    let first: Vec<&str> = names.iter().take(NAMES_MAX).map(|it| it.as_str()).collect();
    let more = if names.len() > NAMES_MAX { ", …" } else { "" };
    first.join(", ") + more
}

/// Describes the recipients of `@all`.
pub(crate) fn everyone(names_recipients: bool) -> String {
    if names_recipients {
        all_receivers()
    } else {
        all_by_default()
    }
}

/// Returns the message about the reachability of a recipient.
pub(crate) fn recipient(origin: &Origin, id: &RecipientId, reach: &Reach) -> Failure {
    let origin = match origin {
        Origin::Settings => receiver_of_settings(),
        Origin::Mail(pattern) => format!("[mail] \"{pattern}\""),
        Origin::Option => "--send".to_owned(),
    };
    let id = match id {
        RecipientId::Member(id) => id.clone(),
        RecipientId::Party(id) => department(id),
        RecipientId::Tag(id) => tag(id),
    };
    let (what, hint) = match reach {
        Reach::Active => (active(), None),
        Reach::InScope => (in_scope(), None),
        Reach::TagOf(count) => (tag_of(count), None),
        Reach::NotInScope => (not_in_scope(), Some(check_id())),
        Reach::NoMember => (no_member(), Some(check_id())),
        Reach::NoParty => (no_party(), Some(check_id())),
        Reach::NoTag => (no_tag(), Some(check_id())),
        Reach::EmptyTag => (empty_tag(), Some(check_id())),
        Reach::Unjoined => (unjoined(), Some(invite())),
        Reach::Disabled => (disabled(), Some(enable())),
        Reach::Left => (has_left(), Some(another_receiver())),
        Reach::Unknown(why) => (unknown_scope(why), Some(look_or_try())),
    };
    Failure {
        exit: Exit::Partial,
        what: labelled(format!("{origin} {id}"), what),
        hint,
    }
}

texts! {
    whole_company() = "整个企业（部门 1）", "the whole company (department 1)";
    members(count, names) = "{count} 个成员（{names}）", "members: {count} ({names})";
    departments(count, ids) = "{count} 个部门（{ids}）", "departments: {count} ({ids})";
    tags_of(count, ids) = "{count} 个标签（{ids}）", "tags: {count} ({ids})";
    all_receivers() = "收件人 @all", "recipient @all";
    all_by_default() = "收件人 @all（默认）", "recipient @all (the default)";
    everyone_none(whose) = "{whose}：可见范围内没有人", "{whose}: nobody is in scope";
    everyone_of(whose, scope) = "{whose}：可见范围内的所有人，即{scope}", "{whose}: everyone in the app's scope, that is {scope}";
    receiver_of_settings() = "收件人", "recipient";
    department(id) = "部门 {id}", "department {id}";
    tag(id) = "标签 {id}", "tag {id}";
    active() = "在可见范围内，已激活", "in scope, and active";
    in_scope() = "在可见范围内", "in scope";
    tag_of(count) = "其中 {count} 个成员或部门在可见范围内", "{count} members or departments of it are in scope";
    not_in_scope() = "不在可见范围内", "not in scope";
    no_member() = "没有这个成员，或不在可见范围内", "there is no such member, or not in scope";
    no_party() = "没有这个部门，或不在可见范围内", "there is no such department, or not in scope";
    no_tag() = "没有这个标签", "there is no such tag";
    empty_tag() = "其中没有可见范围内的人", "nobody in it is in scope";
    unjoined() = "在可见范围内，但未激活：没有加入企业微信，也没有关注微信插件", "in scope, but has neither joined WeCom nor followed the WeChat plugin (微信插件)";
    disabled() = "账号已被禁用", "the account is disabled";
    has_left() = "已退出企业", "has left the company";
    unknown_scope(why) = "是否在可见范围内查不到：{why}", "whether it is in scope cannot be asked: {why}";
    check_id() = "核对账号或编号（通讯录里的账号，不是姓名），并到应用管理 → 该应用 → 可见范围加入", "check the id (the Account (账号) in Contacts (通讯录), not the name), and add it at App Management (应用管理) → the app → Allowed users (可见范围)";
    invite() = "邀请此人加入，或让其扫码关注：管理后台 我的企业 → 微信插件", "invite them, or let them scan the code: admin console, My Company (我的企业) → WeChat plugin (微信插件)";
    enable() = "到通讯录里启用，或换一个收件人", "enable it in Contacts (通讯录), or name somebody else";
    another_receiver() = "换一个收件人", "name somebody else";
    look_or_try() = "到应用管理 → 该应用 → 可见范围查看，或用 --send 试发一条", "look at App Management (应用管理) → the app → Allowed users (可见范围), or try it with --send";
}

failures! {
    everyone_unknown(whose) => Partial,
        "{whose}：可见范围内的所有人，有哪些人查不到", "{whose}: everyone in the app's scope, and who that is cannot be asked",
        "到应用管理 → 该应用 → 可见范围查看", "look at App Management (应用管理) → the app → Allowed users (可见范围)";
    too_many_recipients(rest, most) => Partial,
        "收件人：另有 {rest} 个没有检查", "recipients: {rest} more were not checked",
        "只检查前 {most} 个，以免占用接口频率", "only the first {most} are, to spare WeCom's limits";
}
