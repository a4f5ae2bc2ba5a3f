//! Words, stdin and files become the messages that one send is made of.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Read};
use std::os::unix::ffi::OsStrExt;

use serde_json::{Map, Value};

use super::long::fitted;
use super::raw::raw;
use super::wanted::Wanted;
use crate::cli::Send;
use crate::commands::source::{self, Source};
use crate::commands::to;
use crate::config::{Settings, ShowIn};
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::message::content::{Article, Card, Text, Video};
use crate::message::input::{INPUT_MAX, Input, one_line, unescape};
use crate::message::media::{self, FILE_MAX};
use crate::message::plain::plain;
use crate::message::split::Rest;
use crate::message::{Attachment, Channel, Content, Kind, MediaKind};

/// One message of those that a send is made of.
pub(super) enum Piece {
    Made(Content, Option<Attachment>),
    /// In WeCom's own JSON.
    Raw(Map<String, Value>),
}

/// What a send is made of, and what the log says of it.
pub(super) struct Contents {
    pub(super) pieces: Vec<Piece>,
    /// The writing, for the log.
    pub(super) text: String,
}

/// What goes into messages.
pub(super) struct Making<'a> {
    pub(super) args: &'a Send,
    pub(super) wanted: Wanted<'a>,
    pub(super) settings: &'a Settings,
}

impl Making<'_> {
    /// Reads all that is to be sent, and makes messages of it; none if there is nothing to send and
    /// that is all right.
    ///
    /// # Errors
    /// Where something cannot be read, is empty, or more than WeCom takes.
    pub(super) fn contents(&self) -> Result<Option<Contents>, Failure> {
        match self.wanted {
            Wanted::Writing(kind) => {
                let input = self.input()?;
                if input.is_blank() && self.may_be_empty(self.title().is_some())? {
                    return Ok(None);
                }
                self.writing(kind, input).map(Some)
            }
            Wanted::Media(kind, path) => self.media(kind, path),
            Wanted::Card | Wanted::News => self.card(),
            Wanted::Raw(path) => raw(path).map(Some),
        }
    }

    fn title(&self) -> Option<String> {
        let title = self.args.title.as_deref().map(one_line);
        title.filter(|title| !title.trim().is_empty())
    }

    /// Whether an empty body is a success; a title may do without.
    fn may_be_empty(&self, has_title: bool) -> Result<bool, Failure> {
        if !self.args.skip_empty && !has_title {
            let what = spoken().of("消息是空的", "the message is empty");
            let hint = spoken().of(
                "写上正文或标题；加 --skip-empty 则空消息也算成功",
                "give a text or a title; --skip-empty makes an empty message a success",
            );
            return Err(Failure::new(Exit::Data, what).hint(hint));
        }
        Ok(self.args.skip_empty)
    }

    /// A text or markdown, in as many messages as it takes.
    fn writing(&self, kind: Kind, input: Input) -> Result<Contents, Failure> {
        let cut = input.cut;
        let body = if input.is_blank() {
            String::new()
        } else {
            input.text
        };
        let prefix = &self.settings.prefix;
        let text = kind.compose(prefix, self.title().as_deref(), body);
        let channel = to::channel(&self.args.to);
        let is_for_wechat = self.settings.show_in == ShowIn::WeChat && channel == Channel::App;
        let (kind, text) = match kind {
            Kind::Markdown if is_for_wechat => (Kind::Text, plain(&text)),
            kind => (kind, text),
        };
        self.parts(kind, channel, text, cut)
    }

    fn parts(
        &self,
        kind: Kind,
        channel: Channel,
        text: String,
        cut: bool,
    ) -> Result<Contents, Failure> {
        let lang = self.settings.phone_lang;
        let fitted = fitted(self.args.long, kind, channel, &text, cut, lang)?;
        let mut pieces = Vec::new();
        for (at, part) in fitted.parts.into_iter().enumerate() {
            let content = match kind {
                Kind::Text if at == 0 => Content::Text(Text {
                    content: part,
                    mentioned_list: self.args.to.mention.clone(),
                    mentioned_mobile_list: self.args.to.mention_mobile.clone(),
                }),
                kind => kind.content(part),
            };
            pieces.push(Piece::Made(content, None));
        }
        if fitted.rest != Rest::File {
            return Ok(Contents { pieces, text });
        }
        let name = self.title().unwrap_or_else(|| "message".to_owned());
        // A title is no path: all of it is the name.
        let name = name.replace(['/', '\\'], "-");
        let shown = text[..text.floor_char_boundary(INPUT_SHOWN)].to_owned();
        let (content, file) = whole(&name, text);
        pieces.push(Piece::Made(content, Some(file)));
        Ok(Contents {
            pieces,
            text: shown,
        })
    }

    /// A file, and before it what is said of it.
    fn media(&self, kind: MediaKind, path: &OsStr) -> Result<Option<Contents>, Failure> {
        let channel = to::channel(&self.args.to);
        let input = if self.args.message.is_empty() {
            Input::default()
        } else {
            self.input()?
        };
        let (content, file) = if let Some(id) = self.wanted.media_id()? {
            (Content::media(kind, id.to_owned()), None)
        } else {
            let is_named = source::has_name(path) || self.args.details.name.is_some();
            if kind == MediaKind::File && !is_named {
                return Err(super::wanted::usage(spoken().of(
                    [
                        "stdin 或管道来的文件没有名字",
                        "用 --name 起一个：手机按扩展名识别文件类型",
                    ],
                    [
                        "a file from stdin or a pipe has no name",
                        "give it one with --name: its end tells phones what it is",
                    ],
                )));
            }
            let source = source::open(path, self.args.details.name.as_deref())?;
            if source.is_empty() && self.args.skip_empty {
                return Ok(None);
            }
            file(source, kind, channel)?
        };
        let mut said = if kind == MediaKind::Video || (input.is_blank() && self.title().is_none()) {
            Contents {
                pieces: Vec::new(),
                text: input.text.clone(),
            }
        } else {
            self.writing(Kind::Text, input.clone())?
        };
        let content = match content {
            Content::Video(video) => self.video(video, input),
            content => content,
        };
        said.pieces.push(Piece::Made(content, file));
        Ok(Some(said))
    }

    /// A film with what stands below it.
    fn video(&self, video: Video, input: Input) -> Content {
        let prefix = &self.settings.prefix;
        let title = self.title().map(|title| format!("{prefix}{title}"));
        let description = match title {
            None if !input.is_blank() => format!("{prefix}{}", input.text),
            _ => input.text,
        };
        Content::Video(Video {
            title,
            description,
            ..video
        })
    }

    /// A card, or a headline.
    fn card(&self) -> Result<Option<Contents>, Failure> {
        let is_card = matches!(self.wanted, Wanted::Card);
        let words_to_come = self.args.message.is_empty() && io::stdin().is_terminal();
        let input = if !is_card && words_to_come {
            Input::default()
        } else {
            self.input()?
        };
        if input.is_blank() && self.may_be_empty(!is_card)? {
            return Ok(None);
        }
        let title = self.title().unwrap_or_default();
        let title = format!("{}{title}", self.settings.prefix);
        let details = &self.args.details;
        let url = details.url.clone().unwrap_or_default();
        let text = format!("{title}\n{}", input.text);
        let content = if is_card {
            Content::Textcard(Card {
                title,
                description: input.text,
                url,
                btntxt: details.button.clone(),
            })
        } else {
            Content::News {
                articles: [Article {
                    title,
                    description: input.text,
                    url,
                    picurl: details.picture.clone(),
                }],
            }
        };
        Ok(Some(Contents {
            pieces: vec![Piece::Made(content, None)],
            text,
        }))
    }

    /// Clean text out of a reader, in the encoding that was asked for.
    fn decoded(&self, reader: impl Read) -> io::Result<Input> {
        let Some(encoding) = self.args.encoding else {
            return Input::from_reader(reader);
        };
        let mut reader = encoding.reader(reader);
        let input = Input::from_reader(&mut reader)?;
        Ok(Input {
            replaced: reader.replaced(),
            ..input
        })
    }

    /// The body: the words, or stdin. With words stdin is never read.
    fn input(&self) -> Result<Input, Failure> {
        let args = self.args;
        let from_stdin = args.message.is_empty() || args.message == ["-"];
        let input = if from_stdin {
            let stdin = io::stdin();
            if stdin.is_terminal() {
                return Err(super::wanted::usage(spoken().of(
                    [
                        "没有消息：stdin 是终端",
                        "写成 wxpush send \"text\"，或把命令的输出用管道接给 wxpush send",
                    ],
                    [
                        "no message: stdin is a terminal",
                        "write wxpush send \"text\", or pipe a command's output into wxpush send",
                    ],
                )));
            }
            self.decoded(stdin.lock()).map_err(|error| {
                let what = say!(
                    "无法从 stdin 读取消息：{error}",
                    "cannot read the message from stdin: {error}"
                );
                Failure::new(Exit::Io, what)
            })?
        } else {
            let words = args.message.join(&OsString::from(" "));
            let read = if args.escapes {
                self.decoded(&*unescape(words.as_bytes()))
            } else {
                self.decoded(words.as_bytes())
            };
            read.expect("words are at hand")
        };
        if input.replaced > 0 {
            let count = input.replaced;
            let encoding = if args.encoding.is_some() {
                spoken().of(" --encoding 指定的编码", "what --encoding says")
            } else {
                spoken().of(" UTF-8", "UTF-8")
            };
            let text = say!(
                "输入中有 {count} 个字符不是{encoding}，已替换为 U+FFFD",
                "{count} characters of the input are not {encoding} and were replaced by U+FFFD"
            );
            tracing::warn!("{text}");
        }
        if input.cut {
            let max = INPUT_MAX >> 20;
            let text = say!(
                "输入超过 {max} MiB：其余部分没有读取",
                "the input is longer than {max} MiB: the rest was not read"
            );
            tracing::warn!("{text}");
        }
        Ok(input)
    }
}

/// As much of a writing as the log may want, once the rest is a file; in bytes.
const INPUT_SHOWN: usize = 64 << 10;

/// A writing as a file, as much of it as WeCom takes.
pub(in crate::commands) fn whole(name: &str, text: String) -> (Content, Attachment) {
    let mut bytes = text.into_bytes();
    bytes.truncate(cut_at(&bytes));
    let file = Attachment {
        kind: MediaKind::File.name().to_owned(),
        name: media::file_name(&format!("{name}.txt")),
        bytes: bytes.into(),
    };
    (Content::media(MediaKind::File, String::new()), file)
}

/// Where a text ends that is no longer than WeCom's largest file.
fn cut_at(text: &[u8]) -> usize {
    let max = usize::try_from(FILE_MAX).unwrap_or(usize::MAX);
    if text.len() <= max {
        return text.len();
    }
    // Not within a character.
    let is_inner = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
    max - text[..=max].iter().rev().take_while(is_inner).count()
}

/// A file as its channel takes it: a robot has pictures in the message itself.
fn file(
    source: Source,
    kind: MediaKind,
    channel: Channel,
) -> Result<(Content, Option<Attachment>), Failure> {
    let robot = channel == Channel::Robot;
    let attachment = source.attachment(kind, robot)?;
    if robot && kind == MediaKind::Image {
        let picture = attachment
            .bytes
            .read()
            .map_err(|error| source::unreadable(Exit::Io, &attachment.name, &error))?;
        return Ok((Content::inline(&picture), None));
    }
    Ok((Content::media(kind, String::new()), Some(attachment)))
}
