//! The API calls that wxpush makes, and any other that a user names.

use std::rc::Rc;
use std::time::Instant;

use serde_json::json;

use super::answer::{ApiAnswer, Grant, Sent, Unreached, lifetime};
use super::body::{FormField, Leaving, Payload};
use super::client::{Client, Credential};
use super::error::{Error, Unreadable};
use super::request::{Call, FILE_MAX, GETTOKEN};
use crate::file_slice::Watching;
use crate::secret::Secret;

/// The longest token or `media_id`, in bytes.
/// Source: developer.work.weixin.qq.com/document/path/91039 for tokens.
const ID_MAX: usize = 512;

/// A call that a user names.
pub(crate) struct ApiCall {
    /// The path below `/cgi-bin/`, with its query.
    pub(crate) call: String,
    pub(crate) body: ApiBody,
}

/// The body of such a call.
pub(crate) enum ApiBody {
    /// No body: a GET.
    Get,
    /// A JSON text, which may be empty.
    Json(Vec<u8>),
    Form(Vec<FormField>),
}

impl Client {
    /// Fetches a token.
    pub(crate) fn gettoken(&self, corpid: &str, deadline: Instant) -> Result<Grant, Error> {
        let corpid = Secret::new(corpid);
        let query = [("corpid", &corpid), ("corpsecret", &self.secret)];
        let answer = self.call(&Call::get(GETTOKEN, &query), deadline)?;
        let access_token = answer.access_token.text();
        if !is_token(access_token) {
            return Err(Error::unreadable(Unreadable::NoToken).of_gettoken());
        }
        Ok(Grant {
            access_token: Secret::new(access_token),
            expires_in: lifetime(answer.expires_in.text()),
        })
    }

    /// Calls `gettoken` without credentials: any answer shows that WeCom can be reached.
    pub(crate) fn knock(&self, deadline: Instant) -> Result<(), Error> {
        self.call(&Call::get(GETTOKEN, &[]), deadline).map(drop)
    }

    /// Sends a message through a call such as `message/send`, with a body in WeCom's JSON.
    pub(crate) fn send(
        self: &Rc<Self>,
        name: &'static str,
        pass: Credential<'_>,
        body: Vec<u8>,
        leaving: Leaving,
        deadline: Instant,
    ) -> Result<Sent, Error> {
        self.wait(self.sending(0, name, pass, body, leaving, deadline))
    }

    /// Returns the sending of a message, over one of the connections, which is free. It goes on
    /// while this client waits for anything.
    pub(crate) fn sending(
        self: &Rc<Self>,
        lane: usize,
        name: &'static str,
        pass: Credential<'_>,
        body: Vec<u8>,
        leaving: Leaving,
        deadline: Instant,
    ) -> impl Future<Output = Result<Sent, Error>> + use<> {
        let client = Rc::clone(self);
        let (parameter, secret) = pass.owned();
        async move {
            let query = [(parameter, &secret)];
            let call = Call {
                leaving: Some(leaving),
                ..Call::post(name, &query, Payload::json(body))
            };
            let answer = client.call_by(lane, &call, deadline).await?;
            Ok(Sent {
                msgid: answer.msgid.text().to_owned(),
                unreached: Unreached {
                    invaliduser: answer.invaliduser.names(),
                    invalidparty: answer.invalidparty.names(),
                    invalidtag: answer.invalidtag.names(),
                    unlicenseduser: answer.unlicenseduser.names(),
                },
            })
        }
    }

    /// Uploads a file through a call such as `media/upload`, with `kind` as WeCom's `type`; returns
    /// its `media_id`.
    pub(crate) fn upload(
        &self,
        name: &str,
        pass: Credential<'_>,
        kind: &str,
        (file, leaving): (FormField, Leaving),
        watching: Option<Watching>,
        deadline: Instant,
    ) -> Result<String, Error> {
        let query = [pass.parameter()];
        let name = format!("{name}?type={kind}");
        let call = Call {
            leaving: Some(leaving),
            watching,
            ..Call::post(&name, &query, Payload::form(&[file]))
        };
        let answer = self.call(&call, deadline)?;
        let media_id = Some(answer.media_id.text()).filter(|media_id| is_token(media_id));
        let media_id = media_id.map(str::to_owned);
        media_id.ok_or(Error::unreadable(Unreadable::NoMediaId))
    }

    /// Recalls a message.
    pub(crate) fn recall(
        &self,
        pass: Credential<'_>,
        msgid: &str,
        deadline: Instant,
    ) -> Result<(), Error> {
        let query = [pass.parameter()];
        let body = json!({"msgid": msgid}).to_string().into_bytes();
        let call = Call::post("message/recall", &query, Payload::json(body));
        self.call(&call, deadline).map(drop)
    }

    /// Makes a call that a user names. `gettoken` gets the app's own secret as its credential.
    ///
    /// # Errors
    /// Any except WeCom's refusals; a refusal of the token is an error, too.
    pub(crate) fn ask(
        &self,
        call: &ApiCall,
        pass: Credential<'_>,
        corpid: &str,
        deadline: Instant,
    ) -> Result<ApiAnswer, Error> {
        let body = match &call.body {
            ApiBody::Get => None,
            ApiBody::Json(text) => Some(Payload::json(text.clone())),
            ApiBody::Form(fields) => Some(Payload::form(fields)),
        };
        let corpid = Secret::new(corpid);
        let credentials = [("corpid", &corpid), ("corpsecret", &self.secret)];
        let query = if call.call == GETTOKEN {
            &credentials[..]
        } else {
            &[pass.parameter()]
        };
        let call = Call {
            body,
            answer_max: FILE_MAX,
            ..Call::get(&call.call, query)
        };
        self.ask_by(&call, deadline)
    }
}

/// Whether a text can be an `access_token` or a `media_id`: 1 to 512 visible ASCII characters.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.len() <= ID_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_visible_and_of_bounded_length() {
        assert!(is_token("abc&%=+/"));
        assert!(is_token(&"x".repeat(512)));
        for bad in ["", "a b", "a\r\nb", "中", &"x".repeat(513)] {
            assert!(!is_token(bad), "{bad}");
        }
    }
}
