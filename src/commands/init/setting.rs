//! The keys of a config that `init` asks for, or takes from the environment.

/// A key that `init` can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Setting {
    Corpid,
    Corpsecret,
    CorpsecretFile,
    Agentid,
    Touser,
    StateDir,
    Lang,
    ApiBase,
    Proxy,
}

impl Setting {
    /// Returns its name in the config.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Corpid => "corpid",
            Self::Corpsecret => "corpsecret",
            Self::CorpsecretFile => "corpsecret_file",
            Self::Agentid => "agentid",
            Self::Touser => "touser",
            Self::StateDir => "state_dir",
            Self::Lang => "lang",
            Self::ApiBase => "api_base",
            Self::Proxy => "proxy",
        }
    }

    /// Returns the name of its environment variable; `proxy` does not have one.
    pub(crate) fn variable(self) -> String {
        format!("WXPUSH_{}", self.name().to_uppercase())
    }
}
