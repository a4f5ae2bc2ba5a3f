//! The messages about failed calls: WeCom's refusals, and answers that are not WeCom's.

use std::fmt;
use std::net::Ipv6Addr;

use super::network;
use crate::error::{Exit, Failure};
use crate::lang::{Lang, spoken};
use crate::wecom::{About, Cause, Class, ErrcodeRow, Error, Refusal, Unreached, Unreadable, codes};

impl Error {
    /// Returns the error as a failure for a person.
    pub(crate) fn failure(&self) -> Failure {
        let failure = match &self.cause {
            Cause::Network(trouble) => network::failure(trouble),
            Cause::Status(status) => http_status(*status),
            Cause::Unreadable(why) => Failure::new(Exit::NotNow, unreadable(*why)).hint(portal()),
            Cause::File { name, error } => file(name.as_deref(), error.as_deref()),
            Cause::TokenLocked => token_locked(),
            Cause::Errcode(refusal) => refusal.failure(),
        };
        Failure {
            exit: self.class.exit(),
            ..failure
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.failure().what)
    }
}

impl Refusal {
    /// Returns the refusal as a failure for a person.
    pub(crate) fn failure(&self) -> Failure {
        let Self {
            errcode, errmsg, ..
        } = self;
        let row = codes::row(*errcode);
        let meaning = row.map_or_else(unknown_code, |row| row.meaning(spoken()).to_owned());
        let mut hint = row.map_or_else(
            || look_up_code(errcode),
            |row| row.advice(spoken()).to_owned(),
        );
        if let (About::Ip, Some(address)) = (self.about, self.address()) {
            hint = match address.parse::<Ipv6Addr>() {
                Ok(address) => ipv6_seen(address),
                Err(_) => format!("{address} → {hint}"),
            };
        }
        if let Some(seconds) = self.again_in {
            hint = cached_refusal(hint, seconds);
        }
        Failure::new(self.class.exit(), refused(errcode, meaning, errmsg)).hint(hint)
    }
}

impl ErrcodeRow {
    /// Returns the meaning of the code.
    pub(crate) fn meaning(&self, lang: Lang) -> &'static str {
        lang.of(self.meaning[0], self.meaning[1])
    }

    /// Returns the user's next step.
    pub(crate) fn advice(&self, lang: Lang) -> &'static str {
        lang.of(self.advice[0], self.advice[1])
    }
}

impl Class {
    /// Returns the exit status of a message with this result.
    pub(crate) fn exit(self) -> Exit {
        match self {
            Self::Ok => Exit::Sent,
            Self::Token | Self::Busy | Self::Transient | Self::Limited => Exit::NotNow,
            Self::Setup => Exit::Setup,
            Self::Message | Self::Media => Exit::Data,
            Self::Recipients | Self::Refused | Self::Unknown => Exit::Refused,
        }
    }

    /// Returns wxpush's own reaction.
    pub(crate) fn action(self, lang: Lang) -> &'static str {
        let (zh, en) = match self {
            Self::Ok => ("成功", "success"),
            Self::Token => (
                "换一个新的 access_token，再发一次",
                "fetches a new access_token and sends once more",
            ),
            Self::Busy => (
                "退避重试，最多 3 次，再不行就留在发件箱",
                "retries with back-off, at most 3 tries, then keeps the message",
            ),
            Self::Transient => (
                "在 --timeout 之内退避重试，再不行就留在发件箱",
                "retries with back-off within --timeout, then keeps the message",
            ),
            Self::Limited => (
                "留在发件箱，60 秒内不再试",
                "keeps the message and waits 60 s before the next try",
            ),
            Self::Setup => (
                "暂停发送，消息保留在发件箱，改好设置后自动补发",
                "stops and keeps the message; it is sent after the settings are corrected",
            ),
            Self::Media => (
                "重新上传文件，再发一次；media_id 是您给的就停下",
                "uploads the file again and sends once more; stops if you gave the media_id",
            ),
            Self::Recipients => ("停下：收件人有误", "stops: the recipients are wrong"),
            Self::Message => ("停下：消息本身有误", "stops: the message itself is bad"),
            Self::Refused => ("停下：企业微信拒绝", "stops: WeCom refuses"),
            Self::Unknown => (
                "留在发件箱，一小时后再试一次，再不行就放弃",
                "keeps the message, tries once more after an hour, then gives it up",
            ),
        };
        lang.of(zh, en)
    }
}

impl Unreached {
    /// Lists the recipients that WeCom could not reach.
    pub(crate) fn describe(&self) -> String {
        let [and, then] = spoken().of(["、", "；"], [", ", "; "]);
        let lists = self.lists().into_iter();
        let named = lists.filter(|(_, names)| !names.is_empty());
        let words: Vec<String> = named
            .map(|(list, names)| format!("{list} {}", names.join(and)))
            .collect();
        words.join(then)
    }
}

texts! {
    unknown_code() = "未收录的错误码", "a code that wxpush does not know";
    /// The hint for a code that is not in the table.
    look_up_code(errcode) =
        "到这里查：https://open.work.weixin.qq.com/devtool/query?e={errcode}",
        "look it up: https://open.work.weixin.qq.com/devtool/query?e={errcode}";
    refused(errcode, meaning, errmsg) =
        "企业微信拒绝：errcode {errcode}（{meaning}）：{errmsg}",
        "WeCom refused: errcode {errcode} ({meaning}): {errmsg}";
    ipv6_seen(address) =
        "企业微信看到的是 IPv6 地址 {address}，而企业可信IP 只接受 IPv4：在配置的 [network] 里把 local_address 设为本机的 IPv4 地址",
        "WeCom sees the IPv6 address {address}, but Company's Trusted IP (企业可信IP) takes IPv4 alone: set local_address in the config's [network] to this host's IPv4 address";
    cached_refusal(hint, seconds) =
        "{hint} 这是上一次的答复，{seconds} 秒后才会再问企业微信；要马上问，用 `wxpush token refresh`",
        "{hint} This is WeCom's earlier answer: wxpush asks again in {seconds} s, or now with `wxpush token refresh`";
}

/// Returns the failure for an HTTP status other than 200, the only one that WeCom uses.
fn http_status(status: u16) -> Failure {
    let (meaning, hint) = match status {
        300..400 => (redirect(), Some(portal())),
        407 => (proxy_login(), Some(proxy_login_hint())),
        429 => (too_many_requests(), None),
        408 | 500.. => (overloaded(), None),
        _ => (blocked(), Some(blocked_hint())),
    };
    let what = not_wecoms_status(status, meaning);
    Failure {
        exit: Exit::NotNow,
        what,
        hint,
    }
}

fn unreadable(why: Unreadable) -> String {
    not_wecoms(match why {
        Unreadable::Empty => empty(),
        Unreadable::WebPage => web_page(),
        Unreadable::NotJson => not_json(),
        Unreadable::NoErrcode => no_errcode(),
        Unreadable::TooLong(bytes) if bytes < 1 << 20 => longer_than(bytes >> 10, "KiB"),
        Unreadable::TooLong(bytes) => longer_than(bytes >> 20, "MiB"),
        Unreadable::NoToken => no_value_of("access_token"),
        Unreadable::NoMediaId => no_value_of("media_id"),
        Unreadable::EchoesSecret => echoes_secret(),
    })
}

texts! {
    not_wecoms_status(status, meaning) =
        "收到的不是企业微信的答复，而是 HTTP 状态 {status}：{meaning}",
        "HTTP status {status} instead of WeCom's answer: {meaning}";
    redirect() =
        "是重定向，没有跟过去：跟过去会把 Secret 带给别人",
        "a redirect, which is not followed because it would carry the secret along";
    proxy_login() = "代理要用户名和密码", "the proxy wants a user and a password";
    proxy_login_hint() =
        "把它们写进代理的 URL：http://user:password@host:port",
        "write them into the proxy's URL: http://user:password@host:port";
    too_many_requests() = "请求太多", "too many requests";
    overloaded() =
        "企业微信，或它前面的中转或代理，停了或过载了",
        "WeCom, or a relay or proxy before it, is down or overloaded";
    blocked() = "途中有谁不放行这个请求", "something on the way blocks the request";
    blocked_hint() =
        "api_base 里的中转要原样转发 /cgi-bin/；代理要放行这个主机",
        "a relay in api_base must forward /cgi-bin/ unchanged; a proxy must allow the host";
    not_wecoms(why) = "收到的不是企业微信的答复：{why}", "the answer is not WeCom's: {why}";
    empty() = "它是空的", "it is empty";
    web_page() = "它是网页", "it is a web page";
    not_json() = "它不是 JSON", "it is not JSON";
    no_errcode() =
        "它是 JSON，但 errcode 不是唯一的一个整数",
        "it is JSON, but without exactly one whole number as its errcode";
    longer_than(most, unit) = "它超过 {most} {unit}", "it is longer than {most} {unit}";
    no_value_of(field) = "里面没有像样的 {field}", "it has no valid {field}";
    echoes_secret() =
        "它照抄了 access_token 或 Secret，所以不显示",
        "it echoes the token or a secret, and is not shown";
    portal() =
        "可能是上网认证页、代理或中转代替企业微信作了答：先登录网络，或检查 api_base 和 proxy",
        "a portal, proxy or relay may have answered in WeCom's place: log in to the network, or check api_base and proxy";
}

fn file(name: Option<&str>, error: Option<&str>) -> Failure {
    match (name, error) {
        (None, _) => data_unreadable(),
        (Some(name), None) => file_unreadable(name, shorter()),
        (Some(name), Some(error)) => file_unreadable(name, error),
    }
}

failures! {
    token_locked() => NotNow,
        "另一个 wxpush 一直在向企业微信要 access_token，没等到结果",
        "another wxpush has been asking WeCom for the token all this time";
    data_unreadable() => NotNow, "要发的内容已经读不到了", "the data to send can no longer be read";
    file_unreadable(name, error) => NotNow,
        "{name} 已无法读取：{error}", "{name} can no longer be read: {error}";
}

texts! {
    shorter() = "它变短了，或磁盘出错", "it has become shorter, or its disk fails";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_wecom_sees_is_shown() {
        let errmsg = "not allow to access from your ip, hint: [1], from ip: 192.0.2.7, more at x";
        let failure = Refusal::new(60020, errmsg.to_owned(), false).failure();
        assert!(failure.hint.unwrap().starts_with("192.0.2.7 "));
        assert_eq!(failure.exit, Exit::Setup);
    }

    #[test]
    fn an_unknown_code_is_worded_whole_and_kept() {
        let refusal = Refusal::new(12345, "what, is this".to_owned(), false);
        let failure = refusal.failure();
        assert_eq!(failure.exit, Exit::Refused);
        assert!(failure.what.contains("12345") && failure.what.contains("what, is this"));
    }
}
