//! What the levels of a config come to: `Settings`, and `Base`, which needs no app.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::api_base::ApiBase;
use super::layer::{At, Layer, SecretFrom};
use super::places::{self, NoPlace, State};
use super::value::{self, Rotation, ShowIn};
use super::{Config, environment, file, missing};
use crate::error::{Exit, Failure};
use crate::lang::{Lang, say};
use crate::message::Envelope;
use crate::secret::Secret;

/// Largest file that may hold a secret, in bytes.
const SECRET_FILE_MAX: u64 = 4096;

/// How old a kept message may become where no level says it: a long weekend.
pub(crate) const MAX_AGE: Duration = Duration::from_hours(3 * 24);

/// Everything that a command needs to know to send, checked.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) base: Base,
    /// The name of the profile in force.
    pub(crate) profile: Option<String>,
    pub(crate) account: Account,
    /// To whom; nobody but the group where a robot sends.
    pub(crate) to: Envelope,
    pub(crate) safe: bool,
    /// Put before every title or text; the host's name is filled in.
    pub(crate) prefix: String,
    /// The language of what reaches the phone.
    pub(crate) phone_lang: Lang,
    pub(crate) show_in: ShowIn,
    pub(crate) network: Network,
    pub(crate) outbox: Outbox,
    pub(crate) limits: Limits,
}

/// In whose name messages are sent.
#[derive(Debug)]
pub(crate) enum Account {
    App(App),
    Robot(Robot),
}

/// An app of a company.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) corpid: String,
    pub(crate) corpsecret: Secret,
    /// Not set where only a token is wanted.
    agentid: Option<u32>,
}

/// A robot of one group.
#[derive(Debug)]
pub(crate) struct Robot {
    /// Its name in the config.
    pub(crate) name: String,
    pub(crate) key: Secret,
}

impl Account {
    /// What nobody else may see.
    pub(crate) fn secret(&self) -> &Secret {
        match self {
            Self::App(app) => &app.corpsecret,
            Self::Robot(robot) => &robot.key,
        }
    }
}

/// What is known without an app: what the commands need that send nothing.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) log: Log,
    state_dir: Option<PathBuf>,
    /// The config that was read, if one was.
    pub(crate) source: Option<PathBuf>,
    /// The config holds a secret, and others can read it.
    pub(crate) open_secret: bool,
    /// The config's owner, if we are root and he is not: he can change what root sends.
    pub(crate) foreign: Option<u32>,
}

/// How WeCom is reached.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub(crate) api_base: ApiBase,
    /// The proxy in force, the config's or the environment's.
    pub(crate) proxy: Option<Secret>,
    pub(crate) local_address: Option<IpAddr>,
    pub(crate) ca_file: Option<PathBuf>,
}

/// How the log is kept.
#[derive(Debug)]
pub(crate) struct Log {
    /// Where, if not in the state directory.
    pub(crate) file: Option<PathBuf>,
    /// The least level that is written; none for `off`.
    pub(crate) level: Option<tracing::Level>,
    pub(crate) rotation: Rotation,
    /// How many daily files stay.
    pub(crate) keep: u32,
}

/// How messages are kept that cannot be delivered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outbox {
    /// Whether any is kept.
    pub(crate) enabled: bool,
    /// How old one may become before it is given up.
    pub(crate) max_age: Duration,
    /// Whether texts that wait for the same receivers go out together.
    pub(crate) merge: bool,
}

/// How many messages go to one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) per_minute: u32,
    pub(crate) per_hour: u32,
}

impl Limits {
    /// WeCom's own: what exceeds them it discards without a word.
    pub(crate) const WECOM: Self = Self {
        per_minute: 30,
        per_hour: 1000,
    };

    /// Of one robot, in its group; beyond, WeCom answers 45009. It has no limit for the hour.
    /// Source: developer.work.weixin.qq.com/document/path/91770.
    pub(crate) const ROBOT: Self = Self {
        per_minute: 20,
        per_hour: 20 * 60,
    };

    /// Of one app, to one member by chats: what exceeds them WeCom discards without a word. It
    /// counts 10,000 a day, of which nobody here knows more than the last hour.
    /// Source: developer.work.weixin.qq.com/document/path/90248.
    pub(crate) const CHAT: Self = Self {
        per_minute: 200,
        per_hour: 10_000,
    };
}

impl Settings {
    /// The id of the app that sends.
    ///
    /// # Errors
    /// `Exit::Config` where it is not set.
    pub(crate) fn agentid(&self, app: &App) -> Result<u32, Failure> {
        app.agentid
            .ok_or_else(|| missing::keys(&["agentid"], self.base.source.as_deref()))
    }
}

impl Base {
    /// The directory for state; made if need be.
    ///
    /// # Errors
    /// All the places that were tried, and why none can be used.
    pub(crate) fn state(&self) -> Result<State, NoPlace> {
        places::state(self.state_dir.as_deref())
    }
}

/// The levels that may set a value, the strongest first.
pub(super) struct Levels<'a>(pub(super) Vec<&'a Layer>);

impl Levels<'_> {
    /// What the strongest level that sets a value says.
    pub(super) fn pick<T: Clone>(&self, value: impl Fn(&Layer) -> Option<&T>) -> Option<T> {
        self.0.iter().find_map(|layer| value(layer)).cloned()
    }

    pub(super) fn base(&self, config: &Config) -> Base {
        Base {
            log: Log {
                file: self.pick(|layer| layer.log_file.as_ref()),
                level: self
                    .pick(|layer| layer.log_level.as_ref())
                    .map_or(Some(tracing::Level::INFO), |level| level.0),
                rotation: self
                    .pick(|layer| layer.log_rotation.as_ref())
                    .unwrap_or(Rotation::Never),
                keep: self.pick(|layer| layer.log_keep.as_ref()).unwrap_or(7),
            },
            state_dir: self.pick(|layer| layer.state_dir.as_ref()),
            source: config.source.clone(),
            open_secret: config.file.open_secret,
            foreign: config.file.foreign,
        }
    }

    /// The app's account.
    pub(super) fn app(&self, config: &Config) -> Result<Account, Failure> {
        let corpid = self.pick(|layer| layer.corpid.as_ref());
        let secret = self
            .pick(|layer| layer.secret.as_ref())
            .or_else(environment::credential);
        let agentid = self.pick(|layer| layer.agentid.as_ref());
        let (Some(corpid), Some(secret)) = (&corpid, &secret) else {
            let all = [
                ("corpid", corpid.is_none()),
                ("corpsecret", secret.is_none()),
                ("agentid", agentid.is_none()),
            ];
            let names: Vec<&str> = all
                .iter()
                .filter(|(_, missing)| *missing)
                .map(|(name, _)| *name)
                .collect();
            return Err(missing::keys(&names, config.source.as_deref()));
        };
        Ok(Account::App(App {
            corpid: corpid.value.clone(),
            corpsecret: reveal(secret, value::secret)?,
            agentid,
        }))
    }

    /// The settings for an account, with the name of the profile that stands among the levels.
    pub(super) fn settings(
        &self,
        config: &Config,
        profile: Option<&str>,
        account: Account,
    ) -> Result<Settings, Failure> {
        let prefix = self.pick(|layer| layer.prefix.as_ref()).unwrap_or_default();
        let is_robot = matches!(account, Account::Robot(_));
        Ok(Settings {
            base: self.base(config),
            profile: profile.map(str::to_owned),
            account,
            to: self
                .pick(|layer| layer.to.as_ref())
                .filter(|_| !is_robot)
                .unwrap_or_else(|| {
                    if is_robot {
                        Envelope::default()
                    } else {
                        Envelope::all()
                    }
                }),
            safe: self.pick(|layer| layer.safe.as_ref()).unwrap_or(false),
            prefix: with_hostname(&prefix),
            phone_lang: self.pick(|layer| layer.lang.as_ref()).unwrap_or(Lang::Zh),
            show_in: self
                .pick(|layer| layer.show_in.as_ref())
                .unwrap_or(ShowIn::WeCom),
            network: self.network()?,
            outbox: Outbox {
                enabled: self.pick(|layer| layer.keeps.as_ref()).unwrap_or(true),
                max_age: self.pick(|layer| layer.max_age.as_ref()).unwrap_or(MAX_AGE),
                merge: self.pick(|layer| layer.merges.as_ref()).unwrap_or(true),
            },
            limits: Limits {
                per_minute: self
                    .pick(|layer| layer.per_minute.as_ref())
                    .unwrap_or(Limits::WECOM.per_minute),
                per_hour: self
                    .pick(|layer| layer.per_hour.as_ref())
                    .unwrap_or(Limits::WECOM.per_hour),
            },
        })
    }

    pub(super) fn network(&self) -> Result<Network, Failure> {
        let api_base = self.pick(|layer| layer.api_base.as_ref());
        let allowed = self
            .pick(|layer| layer.allow_plain_http.as_ref())
            .unwrap_or(false);
        if let Some(At { value, spot }) = &api_base
            && value.is_exposed()
            && !allowed
        {
            let what = say!(
                "{spot} 是通往别的主机的明文 http：Secret 和消息在路上会被看到",
                "{spot} is plain http to another host: secret and messages could be read on the way"
            );
            return Err(Failure::new(Exit::Config, what).hint(say!(
                "改用 https；如果路上每一跳都可信，在 [network] 下写 allow_plain_http = true",
                "use https, or set allow_plain_http = true below [network] if you trust every hop"
            )));
        }
        let api_base = api_base.map_or_else(ApiBase::wecom, |base| base.value);
        let proxy = self.pick(|layer| layer.proxy.as_ref());
        Ok(Network {
            // Nobody may come between this host and itself, and read along.
            proxy: match proxy {
                _ if api_base.is_plain_loopback() => None,
                Some(proxy) => Some(proxy),
                None => environment::proxy(&api_base)?,
            },
            api_base,
            local_address: self.pick(|layer| layer.local_address.as_ref()),
            ca_file: self
                .pick(|layer| layer.ca_file.as_ref())
                .map(|file| file.value),
        })
    }
}

/// A secret itself; of a file the white space around it goes.
pub(super) fn reveal(
    secret: &At<SecretFrom>,
    read: impl Fn(&str) -> Result<Secret, String>,
) -> Result<Secret, Failure> {
    let path = match &secret.value {
        SecretFrom::Text(secret) => return Ok(secret.clone()),
        SecretFrom::File(path) => path,
    };
    let spot = &secret.spot;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let shown = if value::could_be_secret(&name) {
        // The secret itself, most likely, where its file should be named.
        say!("它指定的文件", "the file that it names")
    } else {
        path.display().to_string()
    };
    let fail = |why: String| Failure::new(Exit::Config, format!("{spot}: {shown}: {why}"));
    let text = file::read_text(path, SECRET_FILE_MAX).map_err(|why| {
        fail(why).hint(say!(
            "文件里只能有 Secret 本身，而且运行 wxpush 的用户要能读它",
            "the file must hold the secret and nothing else, and be readable by the user that runs wxpush"
        ))
    })?;
    read(text.trim()).map_err(|why| fail(say!("里面的 Secret {why}", "the secret in it {why}")))
}

fn with_hostname(prefix: &str) -> String {
    if !prefix.contains("{hostname}") {
        return crate::message::input::one_line(prefix);
    }
    crate::message::input::one_line(&prefix.replace("{hostname}", &hostname()))
}

/// This host's name.
pub(crate) fn hostname() -> String {
    let uname = rustix::system::uname();
    uname.nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_level_that_sets_a_value_wins() {
        let weak = Layer {
            safe: Some(true),
            agentid: Some(1),
            ..Layer::default()
        };
        let strong = Layer {
            safe: Some(false),
            ..Layer::default()
        };
        let levels = Levels(vec![&strong, &weak]);
        assert_eq!(levels.pick(|layer| layer.safe.as_ref()), Some(false));
        assert_eq!(levels.pick(|layer| layer.agentid.as_ref()), Some(1));
        assert_eq!(levels.pick(|layer| layer.prefix.as_ref()), None);
    }
}
