//! Where state, log and token cache are, and whether they can be used.

use std::fmt::Display;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::report::Report;
use super::shown;
use crate::config::{Base, Config, NoPlace, State};
use crate::disk;
use crate::error::Exit;
use crate::lang::{say, spoken};
use crate::outbox::Outbox;

/// Less room than this, in bytes, is worth a look: an outbox may need more.
const ROOM: u64 = 64 << 20;

/// The directory for state, why it is that one, and whether it takes anything.
pub(super) fn state(config: &Config, state: &Result<State, NoPlace>, report: &mut Report) {
    let state = match state {
        Ok(state) => state,
        Err(tried) => {
            let what = say!(
                "状态目录：没有能用的位置：{tried}",
                "state: there is no place for it: {tried}"
            );
            let hint = spoken().of(
                "建一个只有自己能写的目录，写进 state_dir；否则消息照发，但不留发件箱、缓存和日志",
                "make a directory that only you can write to, and name it in state_dir; until then messages go out without outbox, token cache and log",
            );
            report.cross("state_dir", Exit::State, what, hint);
            return;
        }
    };
    let dir = shown(state);
    let why = if config.names_state_dir() {
        "state_dir".to_owned()
    } else {
        match Config::not_beside() {
            None => spoken().of("在程序旁边", "beside the program").to_owned(),
            Some((beside, why)) => {
                let beside = beside.display();
                say!(
                    "不在程序旁边：{beside} {why}",
                    "not beside the program: {beside} {why}"
                )
            }
        }
    };
    if let Err(error) = disk::try_writing(state.dir()) {
        let what = say!(
            "状态目录：{dir}（{why}）写不进去：{error}",
            "state: {dir} ({why}) cannot be written to: {error}"
        );
        let hint = spoken().of(
            "腾出空间，或把 state_dir 指到别的磁盘；在此之前消息没有发件箱兜底",
            "make room, or set state_dir to another disk; until then nothing is kept that cannot be sent",
        );
        report.cross("state_dir", Exit::State, what, hint);
        return;
    }
    let Ok(free) = disk::free(state.dir()) else {
        report.fine(
            "state_dir",
            say!(
                "状态目录：{dir}（{why}），可写",
                "state: {dir} ({why}), can be written to"
            ),
        );
        return;
    };
    let room = size(free);
    let what = say!(
        "状态目录：{dir}（{why}），可写，剩余 {room}",
        "state: {dir} ({why}), can be written to, {room} free"
    );
    if free < ROOM {
        let hint = spoken().of("磁盘快满了：腾出空间", "the disk is nearly full: make room");
        report.doubt("state_dir", what, hint);
    } else {
        report.fine("state_dir", what);
    }
}

/// The log.
pub(super) fn log(base: &Base, state: Option<&State>, report: &mut Report) {
    if base.log.level.is_none() {
        report.fine(
            "log",
            say!(
                "日志：已关闭（level = \"off\"）",
                "log: off (level = \"off\")"
            ),
        );
        return;
    }
    match crate::log::seen(base, state) {
        Some((path, Ok(bytes))) => {
            let (path, size) = (path.display(), size(bytes));
            report.fine("log", say!("日志：{path}，{size}", "log: {path}, {size}"));
        }
        Some((path, Err(error))) => {
            let path = path.display();
            let what = say!(
                "日志：{path} 写不进去：{error}",
                "log: {path} cannot be written: {error}"
            );
            let hint = spoken().of(
                "检查 [log] file 的目录和文件的属主、权限",
                "look at the directory in [log] file, and at the owner and mode of the file",
            );
            report.cross("log", Exit::State, what, hint);
        }
        None => report.left(
            "log",
            say!(
                "日志：没有状态目录，无处可写",
                "log: no place, without a state directory"
            ),
        ),
    }
}

/// The files that are ours alone.
pub(super) fn ours(state: &State, report: &mut Report) {
    for (name, words) in [
        (
            "token_cache.json",
            spoken().of("access_token 缓存", "token cache"),
        ),
        ("ledger", spoken().of("发送账本", "ledger")),
        ("runs", spoken().of("run 的记录", "memory of run")),
        ("uploads", spoken().of("上传记录", "uploads")),
    ] {
        let path = state.file(name);
        let shown = path.display();
        match disk::seen(&path, state.owner()) {
            Ok(Some(meta)) if meta.mode() & 0o077 != 0 => report.cross(
                "files",
                Exit::State,
                say!(
                    "{words}：别的用户能读写 {shown}",
                    "{words}: others can get at {shown}"
                ),
                format!("chmod 600 {shown}"),
            ),
            // Most are nothing to look at; the cache is what people search for.
            Ok(found) if name == "token_cache.json" => {
                let state = match found {
                    Some(_) => "0600",
                    None => spoken().of(
                        "还没有，第一次发送时建立",
                        "not there yet, the first send makes it",
                    ),
                };
                report.fine(
                    "token_cache",
                    say!("{words}：{shown}（{state}）", "{words}: {shown} ({state})"),
                );
            }
            Ok(_) => {}
            Err(error) => report.cross(
                "files",
                Exit::State,
                say!(
                    "{words}：{shown} 不能用：{error}",
                    "{words}: {shown} cannot be used: {error}"
                ),
                say!(
                    "把它移走，wxpush 会新建：mv {shown} {shown}.bad",
                    "move it away, wxpush makes a new one: mv {shown} {shown}.bad"
                ),
            ),
        }
    }
    let outbox = Outbox::of(state);
    if let Err(error) = outbox.open() {
        no_outbox(outbox.path(), &error, report);
    }
}

/// Says why an outbox cannot be used.
pub(super) fn no_outbox(path: &Path, error: &impl Display, report: &mut Report) {
    let path = path.display();
    let what = say!(
        "发件箱：{path} 不能用：{error}",
        "outbox: {path} cannot be used: {error}"
    );
    let hint = spoken().of(
        "它必须是运行 wxpush 的用户自己的目录",
        "it must be a directory of the user who runs wxpush, and of nobody else",
    );
    report.cross("outbox", Exit::State, what, hint);
}

/// A number of bytes for a person.
#[expect(clippy::cast_precision_loss, reason = "it is shown with one digit")]
fn size(bytes: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = units.into_iter().find(|(power, _)| bytes >> power > 0);
    match unit {
        Some((power, name)) => format!("{:.1} {name}", bytes as f64 / f64::from(1_u32 << power)),
        None => format!("{bytes} B"),
    }
}
