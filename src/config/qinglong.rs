//! The settings of Qinglong (青龙面板) for WeCom, which its scripts read from the environment:
//! `QYWX_AM`, `QYWX_KEY` and `QYWX_ORIGIN`. They count where nothing else is set.

use std::path::Path;

use super::Config;
use super::api_base::ApiBase;
use super::document::Secrets;
use super::environment::variable;
use super::error::{ConfigError, Expected, Invalid, Spot};
use super::input::{At, SecretFrom};
use super::keys::Layer;
use super::value;

/// `corpid,corpsecret,touser,agentid`, and the kind of its messages, which is not ours.
const APP: &str = "QYWX_AM";

/// The key of a group robot.
const KEY: &str = "QYWX_KEY";

/// The API, or a relay of it.
const ORIGIN: &str = "QYWX_ORIGIN";

/// The name of the robot that `QYWX_KEY` gives.
const ROBOT: &str = "qywx";

impl Config {
    /// Returns the robot of `QYWX_KEY` if it is all that is set, for messages without receivers.
    ///
    /// `option` is `--config`, `profile` is `--profile`.
    pub(crate) fn robot_alone(option: Option<&Path>, profile: Option<&str>) -> Option<String> {
        variable(KEY).ok()??;
        let config = Self::load(option, profile).ok()?;
        let is_alone = !config.has_app() && config.has_robot(ROBOT);
        is_alone.then(|| ROBOT.to_owned())
    }

    /// Whether any level sets a part of an app.
    pub(super) fn has_app(&self) -> bool {
        let levels = self.levels_in_force();
        levels.pick(|layer| layer.corpid.as_ref()).is_some()
            || levels.pick(|layer| layer.agentid.as_ref()).is_some()
            || levels.pick(|layer| layer.secret.as_ref()).is_some()
    }
}

/// Returns the app of `QYWX_AM`, and the API of `QYWX_ORIGIN`.
///
/// # Errors
/// If one is not of its form.
pub(super) fn layer() -> Result<Layer, ConfigError> {
    let mut layer = Layer::default();
    if let Some(text) = variable(APP)? {
        app(&text, &mut layer).map_err(|reason| invalid(APP, reason))?;
    }
    if let Some(text) = variable(ORIGIN)? {
        let value = ApiBase::parse(&text).map_err(|reason| invalid(ORIGIN, reason))?;
        let spot = Spot::Variable(ORIGIN);
        layer.api_base = Some(At { value, spot });
    }
    Ok(layer)
}

/// Returns the robot of `QYWX_KEY`, if it is set.
///
/// # Errors
/// If it is no key.
pub(super) fn robots() -> Result<Secrets, ConfigError> {
    let Some(text) = variable(KEY)? else {
        return Ok(Secrets::new());
    };
    let key = value::robot_key(&text).map_err(|reason| invalid(KEY, reason))?;
    let key = At {
        value: SecretFrom::Text(key),
        spot: Spot::Variable(KEY),
    };
    Ok(Secrets::from([(ROBOT.to_owned(), Some(key))]))
}

fn app(text: &str, layer: &mut Layer) -> Result<(), Invalid> {
    let fields: Vec<&str> = text.split(',').map(str::trim).collect();
    let [corpid, secret, touser, agentid, ..] = fields[..] else {
        return Err(Invalid::Not(Expected::QinglongApp));
    };
    layer.corpid = Some(value::corpid(corpid)?);
    layer.secret = Some(At {
        value: SecretFrom::Text(value::secret(secret)?),
        spot: Spot::Variable(APP),
    });
    layer.to = value::recipients(&[vec![touser.to_owned()], Vec::new(), Vec::new()])?;
    layer.agentid = Some(value::agentid(agentid)?);
    Ok(())
}

fn invalid(name: &'static str, reason: Invalid) -> ConfigError {
    let spot = Spot::Variable(name);
    ConfigError::Invalid { spot, reason }
}
