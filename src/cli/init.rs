//! The options of `wxpush init`.

use clap::Args;

pub(super) const EXAMPLES: &str = "\
At a terminal it asks: corpid, corpsecret, agentid, recipients, and whether cron is to deliver what
could not go out at once. Each is tested as it is given. Elsewhere it takes WXPUSH_CORPID,
WXPUSH_CORPSECRET or WXPUSH_CORPSECRET_FILE, WXPUSH_AGENTID, and if they are set WXPUSH_TOUSER,
WXPUSH_API_BASE, WXPUSH_STATE_DIR and WXPUSH_LANG.

The config goes to --config; else beside the program; else to /etc/wxpush/config.toml for root, and
to ~/.config/wxpush/config.toml for others. What it replaces is kept beside it as config.toml.old;
one with the same values is left as it is.

Examples:
  wxpush init
  wxpush init --config /srv/app/wxpush.toml
  WXPUSH_CORPID=ww0123456789abcdef WXPUSH_CORPSECRET_FILE=/run/secrets/wecom WXPUSH_AGENTID=1000002 \\
    WXPUSH_TOUSER=zhangsan wxpush init < /dev/null     for cloud-init, Ansible, a Dockerfile

Exit codes: 0 written and tested; 73 not written, since another config is there (--force) or the place
can't be written to; 78 not written, since a value is missing or wrong. Without a terminal the config is
written, too, if WeCom then refuses it (77) or can't be reached (75).";

/// `wxpush init`.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Writes over a config that is there; it is kept as config.toml.old
    #[arg(long)]
    pub(crate) force: bool,
    /// Asks WeCom nothing: the values are not tested
    #[arg(long)]
    pub(crate) offline: bool,
}
