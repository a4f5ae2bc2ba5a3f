//! `outbox drop` and `outbox retry`: what a person decides about single messages. One that cannot be
//! changed holds up none of the others.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Outboxes, Place, named_among};
use crate::cli::Chosen;
use crate::clock::Stamp;
use crate::delivery::Sender;
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::outbox::{self, Account, Claim, Entry, Id, Revived};
use crate::output::{self, Output};

/// What became of a message.
enum Done {
    Dropped,
    ToBeTried,
    /// It had left the outbox before.
    Gone,
}

/// Removes messages, those that wait and those that failed.
pub(super) fn drop(
    outboxes: &Outboxes<'_>,
    chosen: &Chosen,
    output: Output,
) -> anyhow::Result<Exit> {
    let (mut all, failed) = outboxes.all()?;
    if !chosen.all {
        all.extend(failed);
    }
    each(&all, chosen, output, dropped)
}

/// Puts failed messages back, and lets waiting ones be tried at once, for the sender of the day.
pub(super) fn retry(
    outboxes: &Outboxes<'_>,
    chosen: &Chosen,
    output: Output,
) -> anyhow::Result<Exit> {
    let (mut all, failed) = outboxes.all()?;
    all.extend(failed);
    each(&all, chosen, output, |place| retried(outboxes, place))
}

/// Changes each of those that are chosen, whatever becomes of the others, and tells of each.
fn each(
    all: &[Place<'_>],
    chosen: &Chosen,
    output: Output,
    change: impl Fn(&Place<'_>) -> Result<Done, Failure>,
) -> anyhow::Result<Exit> {
    let wanted = wanted(all, chosen);
    let (count, mut troubles) = (wanted.len(), Vec::new());
    for place in wanted {
        let told = place.and_then(|at| {
            let done = change(&all[at])?;
            tell(&all[at], &done, output)
        });
        if let Err(failure) = told {
            if count > 1 {
                tell_trouble(&failure, output);
            }
            troubles.push(failure);
        }
    }
    let left = troubles.len();
    match troubles.into_iter().next() {
        None => Ok(Exit::Sent),
        Some(failure) if count == 1 => Err(failure.into()),
        Some(first) => {
            let what = say!(
                "{count} 条里有 {left} 条没有改动",
                "{left} of {count} were not changed"
            );
            Err(Failure { what, ..first }.into())
        }
    }
}

/// Those that are chosen, each once, or why there is no such one, in their order.
fn wanted(all: &[Place<'_>], chosen: &Chosen) -> Vec<Result<usize, Failure>> {
    if chosen.all {
        return (0..all.len()).map(Ok).collect();
    }
    let mut wanted = Vec::new();
    for text in &chosen.ids {
        match named_among(all, text) {
            Ok(found) => wanted.extend(found.into_iter().map(Ok)),
            Err(failure) => wanted.push(Err(failure)),
        }
    }
    let mut seen = BTreeSet::new();
    wanted.retain(|it| it.as_ref().map_or(true, |at| seen.insert(*at)));
    wanted
}

fn dropped(place: &Place<'_>) -> Result<Done, Failure> {
    let id = &place.id;
    let removed = match &place.failed {
        Some(failed) => {
            // Held until it is gone.
            let claim = outbox::claim_failed(failed, id);
            match claim {
                Claim::Busy => return Err(busy(place)),
                Claim::Gone => return Ok(Done::Gone),
                _ => outbox::forget(failed, id),
            }
        }
        None => match outbox::claim(&place.dir, id) {
            Claim::Held(held) => {
                if let Some(carrier) = held.carrier_in_doubt() {
                    return Err(carried(id, &carrier));
                }
                held.remove()
            }
            Claim::Busy => return Err(busy(place)),
            Claim::Gone => return Ok(Done::Gone),
            // It has been put among the failed just now.
            Claim::Damaged => match outbox::failed(&place.dir) {
                Ok(Some(failed)) => outbox::forget(&failed, id),
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            },
            Claim::Newer => place.dir.remove(id.as_str()),
            Claim::Foreign(error) | Claim::Unusable(error) => Err(error),
        },
    };
    removed.map_err(|error| cannot(place, &error))?;
    tracing::info!(%id, "dropped");
    Ok(Done::Dropped)
}

fn retried(outboxes: &Outboxes<'_>, place: &Place<'_>) -> Result<Done, Failure> {
    let id = &place.id;
    let claim = match &place.failed {
        Some(failed) => outbox::claim_failed(failed, id),
        None => outbox::claim(&place.dir, id),
    };
    let held = match claim {
        Claim::Held(held) => held,
        Claim::Busy => return Err(busy(place)),
        Claim::Gone => return Ok(Done::Gone),
        Claim::Damaged | Claim::Newer => return Err(unreadable(place)),
        Claim::Foreign(error) | Claim::Unusable(error) => return Err(cannot(place, &error)),
    };
    let entry = of_the_day(outboxes, held.entry().clone())?;
    let changed = if let Some(failed) = &place.failed {
        match outbox::revive(&place.dir, failed, &held, &entry) {
            Ok(Revived::Back) => Ok(()),
            Ok(Revived::Busy) => return Err(busy(place)),
            Ok(Revived::Waits) => return Err(waits(place)),
            Err(error) => Err(error),
        }
    } else {
        held.note(|attempts| attempts.hold = None);
        if entry.sender == held.entry().sender {
            Ok(())
        } else {
            outbox::readdress(&place.dir, &held, &entry)
        }
    };
    changed.map_err(|error| cannot(place, &error))?;
    tracing::info!(%id, "to be tried again");
    Ok(Done::ToBeTried)
}

/// The same message for the sender that the config of the day has under its profile.
fn of_the_day(outboxes: &Outboxes<'_>, entry: Entry) -> Result<Entry, Failure> {
    let config = outboxes.config;
    let profile = entry.sender.profile.as_deref();
    let is_known = profile.is_none_or(|name| config.profiles().any(|known| known == name));
    let settings = match &entry.sender.account {
        Account::App(_) if is_known => config.settings_of(profile)?,
        Account::App(_) => config.settings(None)?,
        Account::Robot(robot) if is_known => config.robot_of(profile, robot)?,
        Account::Robot(robot) => config.robot(robot)?,
    };
    Ok(Entry {
        retried: Some(Stamp::now()),
        sender: Sender::name_of(&settings),
        ..entry
    })
}

/// A text may have left with others, and they can only go again as they were.
fn carried(id: &Id, carrier: &str) -> Failure {
    let what = say!(
        "{id} 已合并到 {carrier}，可能已送达，不能单独删除",
        "{id} is merged into {carrier}, which may have arrived, and cannot be dropped alone"
    );
    Failure::new(Exit::NotNow, what).hint(say!(
        "先用 wxpush outbox drop {carrier} 拆开：其余的会单独重发，可能重复",
        "wxpush outbox drop {carrier} takes it apart first: the others then go again, and may come twice"
    ))
}

fn busy(place: &Place<'_>) -> Failure {
    let id = &place.id;
    let what = say!(
        "另一个 wxpush 正在发送 {id}",
        "{id} is being sent by another wxpush right now"
    );
    Failure::new(Exit::NotNow, what).hint(spoken().of("稍后再试", "try again in a moment"))
}

fn unreadable(place: &Place<'_>) -> Failure {
    let id = &place.id;
    let what = say!(
        "无法读取 {id}：它已损坏，或由更新版本的 wxpush 写入",
        "{id} cannot be read: it is damaged, or a newer wxpush wrote it"
    );
    let hint = spoken().of(
        "用 wxpush outbox drop 移除它",
        "wxpush outbox drop removes it",
    );
    Failure::new(Exit::Data, what).hint(hint)
}

fn cannot(place: &Place<'_>, error: &std::io::Error) -> Failure {
    let (id, dir) = (&place.id, place.dir.path().display());
    let what = say!(
        "无法修改 {dir} 里的 {id}：{error}",
        "{id} in {dir} cannot be changed: {error}"
    );
    let hint = spoken().of(
        "腾出磁盘空间，或看看它属于谁",
        "make room there, or look who owns it",
    );
    Failure::new(Exit::State, what).hint(hint)
}

fn waits(place: &Place<'_>) -> Failure {
    let id = &place.id;
    let what = say!(
        "{id} 已在等待发送，失败的那一份保持不动",
        "{id} is already in the outbox, so its copy in failed/ stays there"
    );
    let hint = say!(
        "先发出等待的那一份（wxpush outbox flush），再用 wxpush outbox drop {id} 移除失败的",
        "let the one that waits go first (wxpush outbox flush), then wxpush outbox drop {id} removes the other"
    );
    Failure::new(Exit::Data, what).hint(hint)
}

/// Tells of one that was changed; a script in English.
fn tell(place: &Place<'_>, done: &Done, output: Output) -> Result<(), Failure> {
    let id = &place.id;
    let (zh, status) = match done {
        Done::Dropped => ("已移除", "dropped"),
        Done::ToBeTried => ("将重新发送", "to be tried again"),
        Done::Gone => ("已不在发件箱", "gone"),
    };
    if output.json {
        output::object(&json!({"id": id.as_str(), "status": status}))?;
    } else if output.is_talkative() {
        let what = spoken().of(zh, status);
        output::result(&format!("{id} {what}"))?;
    }
    if matches!(done, Done::Gone) {
        output.note(&say!(
            "{id} 刚刚离开了发件箱：已发送，或已被移除",
            "{id} has just left the outbox: it was delivered, or dropped by another"
        ));
    }
    Ok(())
}

/// Tells of one that was not changed, while others are.
fn tell_trouble(failure: &Failure, output: Output) {
    tracing::error!(error = failure.what, "left as it is");
    output.failure(&Failure {
        hint: None,
        ..failure.clone()
    });
}
