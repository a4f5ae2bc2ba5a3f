//! What one level says: a file's top, a profile, or the environment. Silence is `None`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::api_base::ApiBase;
use super::value::{Level, Rotation, ShowIn};
use crate::lang::Lang;
use crate::message::Envelope;
use crate::secret::Secret;

/// A value, and where it was written, for the error that finds it wrong later.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    /// Such as `/etc/wxpush/config.toml:3: corpid`.
    pub(crate) spot: String,
}

impl<T> At<T> {
    /// The same place with another value.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> At<U> {
        At {
            value: change(self.value),
            spot: self.spot,
        }
    }
}

/// Where a secret comes from: an app's, or a robot's key.
#[derive(Debug, Clone)]
pub(crate) enum SecretFrom {
    /// It was given itself.
    Text(Secret),
    /// It is the content of this file.
    File(PathBuf),
}

/// The values of one level.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layer {
    pub(crate) corpid: Option<At<String>>,
    pub(crate) secret: Option<At<SecretFrom>>,
    pub(crate) agentid: Option<u32>,
    pub(crate) to: Option<Envelope>,
    pub(crate) safe: Option<bool>,
    pub(crate) prefix: Option<String>,
    pub(crate) state_dir: Option<PathBuf>,
    pub(crate) lang: Option<Lang>,
    pub(crate) show_in: Option<ShowIn>,
    pub(crate) api_base: Option<At<ApiBase>>,
    pub(crate) allow_plain_http: Option<bool>,
    pub(crate) proxy: Option<Secret>,
    pub(crate) local_address: Option<IpAddr>,
    pub(crate) ca_file: Option<At<PathBuf>>,
    pub(crate) log_file: Option<PathBuf>,
    pub(crate) log_level: Option<Level>,
    pub(crate) log_rotation: Option<Rotation>,
    pub(crate) log_keep: Option<u32>,
    pub(crate) per_minute: Option<u32>,
    pub(crate) per_hour: Option<u32>,
    pub(crate) keeps: Option<bool>,
    pub(crate) max_age: Option<Duration>,
    pub(crate) merges: Option<bool>,
}

impl Layer {
    /// Whether a secret stands here itself: the app's, or a password in a URL.
    pub(crate) fn holds_secret(&self) -> bool {
        let app = self.secret.as_ref().map(|at| &at.value);
        let urls = [
            self.proxy.as_ref().map(Secret::expose),
            self.api_base.as_ref().map(|at| at.value.expose()),
        ];
        matches!(app, Some(SecretFrom::Text(_)))
            || urls.iter().flatten().any(|url| url.contains('@'))
    }
    /// Whether all that makes an app is here.
    pub(super) fn is_an_app(&self) -> bool {
        self.corpid.is_some() && self.secret.is_some() && self.agentid.is_some()
    }
}
