//! The messages about content and files that WeCom would refuse or cut.

use crate::error::Failure;
use crate::lang::spoken;
use crate::message::limits::{self, Caveat, Excess, Unit, Violation};
use crate::message::media::{FILE_MAX, FILE_MIN, UnfitFile, VOICE_SECONDS_MAX};
use crate::message::recipients::{CHATID_MAX, USERID_MAX};
use crate::message::{Encoding, MediaKind, RecipientError, Recipients};

/// Returns the failure with all reasons not to send a message.
pub(crate) fn unfit(violations: &[Violation]) -> Failure {
    let reasons: Vec<String> = violations.iter().map(violation).collect();
    refused_or_cut(reasons.join(spoken().of("；", "; ")))
}

fn violation(violation: &Violation) -> String {
    match violation {
        Violation::NotTaken { channel, msgtype } => {
            let kinds = limits::kinds(*channel).join(spoken().of("、", ", "));
            not_taken(channel.call(), msgtype, kinds)
        }
        Violation::Missing { field } => missing(field),
        Violation::NotWeb { field } => not_web(field),
        Violation::Cut(it) => cut(&it.field, it.size, unit(it), it.max),
        Violation::TooLong(it) => too_long(&it.field, it.size, unit(it), it.max),
        Violation::MentionsNobody { field } => mentions_nobody(field),
    }
}

/// Describes an effect that the sender may not expect.
pub(crate) fn caveat(caveat: &Caveat) -> String {
    match caveat {
        Caveat::MaybeCut(it) => maybe_cut(&it.field, it.size, unit(it), it.max),
        Caveat::NoPicture { field } => no_picture(field),
        Caveat::Useless {
            option,
            channel,
            msgtype,
        } => useless(option, channel.call(), msgtype),
    }
}

fn unit(excess: &Excess) -> &'static str {
    match excess.unit {
        Unit::Bytes => spoken().of("字节", "bytes"),
        Unit::Characters => spoken().of("字符", "characters"),
    }
}

/// Describes why WeCom would not accept the file `name`.
pub(crate) fn unfit_file(name: &str, why: UnfitFile) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    match why {
        UnfitFile::RobotVideo => robot_video(name),
        UnfitFile::TooSmall { size } => too_small(name, size, FILE_MIN),
        UnfitFile::NoImage => no_image(name),
        UnfitFile::NoVoice => no_voice(name, stem),
        UnfitFile::NoVideo => no_video(name, stem),
        UnfitFile::WideVoice => wide_voice(name, stem),
        UnfitFile::TooLarge { kind, robot, size } => {
            let max = kind.max(robot);
            let instead = match kind {
                MediaKind::File => too_large_file(),
                _ if size > FILE_MAX => too_large_for_file(),
                MediaKind::Voice => too_large_voice(),
                _ => too_large_media(),
            };
            too_large(media_name(kind, robot), max >> 20, max, name, size, instead)
        }
        UnfitFile::DamagedVoice => damaged_voice(name),
        UnfitFile::LongVoice { seconds } => long_voice(name, seconds, VOICE_SECONDS_MAX),
    }
}

fn media_name(kind: MediaKind, robot: bool) -> &'static str {
    let (zh, en) = match kind {
        MediaKind::Image if robot => ("群机器人的图片", "an image of a group robot"),
        MediaKind::Image => ("图片", "an image"),
        MediaKind::Voice => ("语音", "a voice"),
        MediaKind::Video => ("视频", "a video"),
        MediaKind::File => ("文件", "a file"),
    };
    spoken().of(zh, en)
}

/// Parses the label of an encoding for the command line.
///
/// # Errors
/// The message for an unknown label.
pub(crate) fn encoding(label: &str) -> Result<Encoding, String> {
    Encoding::for_label(label).ok_or_else(unknown_encoding)
}

failures! {
    refused_or_cut(reasons) => Data,
        "{reasons}", "{reasons}",
        "什么都没有发送：企业微信会拒绝它，或悄悄截断它",
        "nothing was sent: WeCom would refuse it, or cut it without a word";
}

texts! {
    the_input() = "输入", "the input";
    not_utf8(what, count) =
        "{what}：{count} 个字符不是 UTF-8，已替换为 U+FFFD",
        "{count} characters of {what} are not UTF-8 and were replaced by U+FFFD";
    not_in_encoding(what, count) =
        "{what}：{count} 个字符不是 --encoding 指定的编码，已替换为 U+FFFD",
        "{count} characters of {what} are not what --encoding says and were replaced by U+FFFD";
    unknown_encoding() =
        "不是已知的编码：写网页所用的名称，例如 gbk、gb18030、big5、shift_jis、utf-16le、windows-1252",
        "is no known encoding: use a name from web pages, such as gbk, gb18030, big5, shift_jis, utf-16le, windows-1252";
}

texts! {
    robot_video(name) =
        "群机器人不能发视频：用 --file 发送 {name}", "a group robot sends no videos: send {name} with --file";
    too_small(name, size, min) =
        "{name} 有 {size} 字节，企业微信不接受 {min} 字节及以下的文件：内容是不是不对？",
        "{name} has {size} bytes, WeCom takes no file of {min} or less: is it what it should be?";
    no_image(name) =
        "图片须为 PNG 或 JPEG，{name} 不是：转换格式，或用 --file 发送",
        "an image is PNG or JPEG, {name} is not: convert it, or send it with --file";
    no_voice(name, stem) =
        "语音须为 AMR，{name} 不是：用 ffmpeg -i {name} -ar 8000 -ac 1 {stem}.amr 转换，或用 --file 发送",
        "a voice is AMR, {name} is not: convert it with ffmpeg -i {name} -ar 8000 -ac 1 {stem}.amr, or send it with --file";
    wide_voice(name, stem) =
        "语音须为 8000 Hz 的 AMR，{name} 是 AMR-WB：用 ffmpeg -i {name} -ar 8000 -ac 1 {stem}-nb.amr 转换，或用 --file 发送",
        "a voice is AMR of 8000 Hz, {name} is AMR-WB: convert it with ffmpeg -i {name} -ar 8000 -ac 1 {stem}-nb.amr, or send it with --file";
    no_video(name, stem) =
        "视频须为 MP4，{name} 不是：用 ffmpeg -i {name} {stem}.mp4 转换，或用 --file 发送",
        "a video is MP4, {name} is not: convert it with ffmpeg -i {name} {stem}.mp4, or send it with --file";
    damaged_voice(name) =
        "{name} 开头是 AMR，但其中的帧已损坏或不完整：重新生成，或用 --file 发送",
        "{name} begins as AMR, but its frames are damaged or cut off: record it again, or send it with --file";
    long_voice(name, seconds, max) =
        "语音最长 {max} 秒，{name} 有 {seconds} 秒：截短它（ffmpeg -t {max}），或用 --file 发送",
        "a voice lasts at most {max} seconds, {name} lasts {seconds}: cut it (ffmpeg -t {max}), or send it with --file";
    too_large(kind, mb, max, name, size, instead) =
        "{kind}最大 {mb} MB（{max} 字节），{name} 有 {size} 字节：{instead}",
        "{kind} has at most {mb} MB ({max} bytes), {name} has {size} bytes: {instead}";
    too_large_file() =
        "压缩或拆分它，或改发链接", "compress or split it, or send a link to it";
    too_large_for_file() = "缩小它，或改发链接", "make it smaller, or send a link to it";
    too_large_voice() = "截短它，或用 --file 发送", "shorten it, or send it with --file";
    too_large_media() = "缩小它，或用 --file 发送", "make it smaller, or send it with --file";
}

texts! {
    not_taken(call, msgtype, kinds) =
        "{call} 不接受 {msgtype}，只接受 {kinds}", "{call} takes no {msgtype}, only {kinds}";
    missing(field) = "缺少 {field}，或它是空的", "{field} is missing or empty";
    not_web(field) =
        "{field} 不是以 http:// 或 https:// 开头", "{field} does not begin with http:// or https://";
    cut(field, length, unit, max) =
        "{field} 有 {length} {unit}，企业微信会截掉 {max} 以后的部分",
        "{field} has {length} {unit}, WeCom cuts it at {max}";
    too_long(field, length, unit, max) =
        "{field} 有 {length} {unit}，企业微信最多接受 {max}",
        "{field} has {length} {unit}, WeCom takes {max}";
    mentions_nobody(field) =
        "{field} 提醒不到任何人：企业微信只在 text 里读它",
        "{field} mentions nobody: WeCom reads it in a text only";
    maybe_cut(field, length, unit, max) =
        "{field} 有 {length} {unit}，超过 {max}：企业微信可能会截断它（按字节还是按字符，各处文档说法不一）",
        "{field} has {length} {unit}, more than {max}: WeCom may cut it (its pages differ on whether it counts bytes or characters)";
    no_picture(field) =
        "{field} 不是以 http:// 或 https:// 开头：可能不显示图片",
        "{field} does not begin with http:// or https://: there may be no picture";
    useless(option, call, msgtype) =
        "{option} 对 {call} 的 {msgtype} 不起作用", "{option} does nothing in a {msgtype} of {call}";
}

displays! { RecipientError {
    Self::AllInCapitals => "全体成员要写成小写的 @all", "everyone is written @all, in lower case";
    Self::NotUserid(name) =>
        "{name:?} 不可能是 userid：只能含字母、数字、- _ . 和 @（它是通讯录里的“账号”，不是姓名）",
        "{name:?} cannot be a userid: letters, digits, - _ . and @ only (it is the Account (账号) shown in Contacts (通讯录), not the name)";
    Self::UseridTooLong(length) =>
        "userid 最长 {max} 个字符，这个有 {length} 个",
        "a userid has at most {max} characters, this one has {length}", max = USERID_MAX;
    Self::NotParty(id) => "{id:?} 不是部门 ID：它应当是数字", "{id:?} is not a party id: it is a number";
    Self::NotTag(id) => "{id:?} 不是标签 ID：它应当是数字", "{id:?} is not a tag id: it is a number";
    Self::NotChatid(id) =>
        "{id:?} 不可能是 chatid：应为 1 到 {max} 个字母和数字",
        "{id:?} cannot be a chatid: 1 to {max} letters and digits", max = CHATID_MAX;
}}

/// Describes the recipients for a person, such as `zhangsan、部门 2`.
pub(crate) fn recipients(to: &Recipients) -> String {
    let mut words = to.touser.clone();
    words.extend(to.toparty.iter().map(party));
    words.extend(to.totag.iter().map(tag));
    words.extend(to.chatid.iter().map(chat));
    words.join(spoken().of("、", ", "))
}

texts! {
    party(id) = "部门 {id}", "party {id}";
    tag(id) = "标签 {id}", "tag {id}";
    chat(id) = "群聊 {id}", "chat {id}";
}
