//! What was typed becomes what was meant: the kind of message, and the options that go with it.

use std::ffi::OsStr;

use crate::cli::Send;
use crate::commands::to;
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::message::content::{DUPLICATE_CHECK_MAX, is_media_id};
use crate::message::{Channel, Kind, MediaKind};

/// The kind of message that is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted<'a> {
    Writing(Kind),
    Media(MediaKind, &'a OsStr),
    Card,
    News,
    /// In WeCom's own JSON.
    Raw(&'a OsStr),
}

impl<'a> Wanted<'a> {
    /// The kind that the options name.
    ///
    /// # Errors
    /// `Exit::Usage`: what the options say cannot be.
    pub(super) fn of(args: &'a Send) -> Result<Self, Failure> {
        let kinds = &args.kind;
        let media = [
            (MediaKind::Image, &kinds.image),
            (MediaKind::Voice, &kinds.voice),
            (MediaKind::Video, &kinds.video),
            (MediaKind::File, &kinds.file),
        ];
        let named = media
            .into_iter()
            .find_map(|(kind, path)| Some((kind, path.as_deref()?)));
        let wanted = match (named, &kinds.raw) {
            (Some((kind, path)), _) => Self::Media(kind, path),
            (_, Some(path)) => Self::Raw(path),
            _ if kinds.card => Self::Card,
            _ if kinds.news => Self::News,
            _ if kinds.markdown => Self::Writing(Kind::Markdown),
            _ if kinds.markdown_v2 => Self::Writing(Kind::MarkdownV2),
            _ => Self::Writing(Kind::Text),
        };
        wanted.check(args)?;
        Ok(wanted)
    }

    /// WeCom's name for it, where it has one already.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Writing(kind) => kind.msgtype(),
            Self::Media(kind, _) => kind.name(),
            Self::Card => "textcard",
            Self::News => "news",
            Self::Raw(_) => "raw",
        }
    }

    /// The `media_id` that stands in a path's place, if one does.
    ///
    /// # Errors
    /// `Exit::Usage`: it cannot be one.
    pub(super) fn media_id(self) -> Result<Option<&'a str>, Failure> {
        let Self::Media(_, path) = self else {
            return Ok(None);
        };
        let id = path
            .to_str()
            .and_then(|path| path.strip_prefix("media_id:"));
        match id {
            Some(id) if !is_media_id(id) => Err(usage(spoken().of(
                [
                    "media_id: 之后的不可能是 media_id",
                    "wxpush upload 会打印出 media_id",
                ],
                [
                    "what stands behind media_id: cannot be one",
                    "wxpush upload prints one",
                ],
            ))),
            id => Ok(id),
        }
    }

    /// Whether `safe` does anything.
    pub(super) fn takes_safe(self) -> bool {
        match self {
            Self::Writing(kind) => kind == Kind::Text,
            Self::Media(kind, _) => kind != MediaKind::Voice,
            Self::Card | Self::News => false,
            Self::Raw(_) => true,
        }
    }

    /// Sees to what an option says that cannot be.
    fn check(self, args: &Send) -> Result<(), Failure> {
        let name = self.name();
        let channel = to::channel(&args.to);
        if args.safe && channel == Channel::Robot {
            return Err(usage(spoken().of(
                ["--safe 对群机器人的消息不起作用", "去掉它"],
                ["--safe does nothing in a robot's message", "leave it out"],
            )));
        }
        if args.safe && !self.takes_safe() {
            let what = say!(
                "--safe 保护不了 {name} 消息",
                "--safe cannot protect a {name} message"
            );
            let hint = if name == "markdown" {
                spoken().of(
                    "去掉 --markdown，作为文本发送",
                    "leave out --markdown to send it as a text",
                )
            } else {
                spoken().of(
                    "去掉它，或改发文本、图片、视频或文件",
                    "leave it out, or send a text, an image, a video or a file",
                )
            };
            return Err(usage([&what, hint]));
        }
        let has_ids = matches!(
            self,
            Self::Writing(Kind::Text) | Self::Card | Self::News | Self::Raw(_)
        );
        if args.id_trans && (channel != Channel::App || !has_ids) {
            let what = say!(
                "--id-trans 只对应用的文本、卡片和图文起作用，对 {name} 不起作用",
                "--id-trans works in texts, cards and news of an app only, not in {name}"
            );
            let hint = if channel == Channel::App {
                say!(
                    "去掉 --{name} 或 --id-trans",
                    "leave out --{name} or --id-trans"
                )
            } else {
                say!("去掉 --id-trans", "leave out --id-trans")
            };
            return Err(usage([&what, &hint]));
        }
        check_dedupe(args)?;
        let mentions = !args.to.mention.is_empty() || !args.to.mention_mobile.is_empty();
        if mentions && !matches!(self, Self::Writing(Kind::Text)) {
            let what = say!(
                "--mention 只在文本里提醒成员，{name} 不行",
                "--mention calls members in a text only, not in {name}"
            );
            let hint = spoken().of(
                "在 markdown 里要提醒的地方写 <@userid>",
                "in markdown write <@userid> where the name is to stand",
            );
            return Err(usage([&what, hint]));
        }
        if args.details.name.is_some() && !matches!(self, Self::Media(..)) {
            return Err(usage(spoken().of(
                [
                    "--name 是给文件起名，而这里没有文件",
                    "加上 --file、--image、--voice 或 --video",
                ],
                [
                    "--name names a file, and there is none",
                    "add --file, --image, --voice or --video",
                ],
            )));
        }
        if args.details.url.is_some() && !matches!(self, Self::Card | Self::News) {
            return Err(usage(spoken().of(
                ["--url 只用于卡片或图文", "加上 --card 或 --news"],
                [
                    "--url belongs to a card or a headline",
                    "add --card or --news",
                ],
            )));
        }
        self.check_words(args)
    }

    fn check_words(self, args: &Send) -> Result<(), Failure> {
        let mistake = match self {
            Self::Raw(_) if !args.message.is_empty() || args.title.is_some() => spoken().of(
                [
                    "--raw 就是整条消息：不能再加 MESSAGE 和 --title",
                    "把它们写进 JSON",
                ],
                [
                    "--raw is the whole message: MESSAGE and --title cannot be added to it",
                    "write them into the JSON",
                ],
            ),
            Self::Media(_, path) if path == "-" && args.message == ["-"] => spoken().of(
                ["stdin 不能既是文件又是消息", "写上文件名，或把消息写成参数"],
                [
                    "stdin cannot be both the file and the message",
                    "name a file, or write the message as words",
                ],
            ),
            Self::Card | Self::News if args.title.is_none() => {
                let name = self.name();
                let what = say!("{name} 需要标题", "a {name} needs a title");
                return Err(usage([&what, spoken().of("用 -t 写上", "give it with -t")]));
            }
            Self::Media(MediaKind::Video, _) if to::channel(&args.to) == Channel::Robot => spoken()
                .of(
                    ["群机器人不能发视频", "用 --file 发送"],
                    ["a robot takes no video", "send it with --file"],
                ),
            _ => return Ok(()),
        };
        Err(usage(mistake))
    }
}

/// Sees to what `--dedupe` says that WeCom cannot do.
fn check_dedupe(args: &Send) -> Result<(), Failure> {
    let Some(time) = args.dedupe else {
        return Ok(());
    };
    if to::channel(&args.to) != Channel::App {
        return Err(usage(spoken().of(
            [
                "--dedupe 只用于发给成员的消息",
                "发给群聊和群机器人的消息，企业微信不做比较：去掉它",
            ],
            [
                "--dedupe works for messages to members only",
                "WeCom compares no messages to chats and groups: leave it out",
            ],
        )));
    }
    if time.as_secs() > DUPLICATE_CHECK_MAX {
        return Err(usage(spoken().of(
            [
                "--dedupe 最多往前比较 4h",
                "更早的企业微信不比较；写 --dedupe 4h",
            ],
            [
                "--dedupe reaches back 4h at the most",
                "WeCom compares no further; write --dedupe 4h",
            ],
        )));
    }
    Ok(())
}

/// A mistake in the command line: what, and what to do.
pub(super) fn usage([what, hint]: [&str; 2]) -> Failure {
    Failure::new(Exit::Usage, what).hint(hint)
}
