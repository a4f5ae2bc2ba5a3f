//! Where a new config goes: to the first place at which the search would find it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{environment, places};
use crate::disk::{self, Owner};
use crate::error::{Exit, Failure};
use crate::lang::say;

/// Mode of a config: it holds the secret.
const MODE: u32 = 0o600;

/// Largest config that is looked into before it is written over, in bytes.
const SIZE_MAX: u64 = 1 << 20;

/// The path of a config that is about to be written.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) path: PathBuf,
    /// Whether the user named it.
    pub(super) named: bool,
}

/// What stands where a config is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum There {
    Nothing,
    /// The example, with all its placeholders: it could never be used.
    Example,
    Config,
}

impl Target {
    /// Where `--config` or `WXPUSH_CONFIG` says; else beside the program, if that place counts and
    /// can be written to; else `/etc/wxpush` for root, and the user's own directory for others.
    ///
    /// # Errors
    /// There is no such place.
    pub(crate) fn find(option: Option<&Path>) -> Result<Self, Failure> {
        let variable = environment::variable("WXPUSH_CONFIG")?.map(PathBuf::from);
        if let Some(path) = option.or(variable.as_deref()) {
            return Ok(Self {
                path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
                named: true,
            });
        }
        let beside = places::beside_that_counts().ok();
        let beside = beside.filter(|(dir, owner)| places::writable(dir, *owner).is_ok());
        let dir = match beside {
            Some((dir, _)) => Some(dir),
            None if is_root() => Some(PathBuf::from(places::ETC)),
            None => places::xdg("XDG_CONFIG_HOME", ".config").map(|dir| dir.join("wxpush")),
        };
        let none = || {
            let what = say!(
                "没有放配置文件的地方：程序旁边不行，又没有 $HOME",
                "there is no place for the config: not beside the program, and $HOME is not set"
            );
            Failure::new(Exit::State, what)
                .hint(say!("用 --config 指定一个", "name one by --config"))
        };
        Ok(Self {
            path: dir.ok_or_else(none)?.join("config.toml"),
            named: false,
        })
    }

    #[cfg(test)]
    pub(super) fn test(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            named: false,
        }
    }

    /// The config that the search finds before this one, if there is one.
    pub(crate) fn hidden_by(&self) -> Option<PathBuf> {
        if self.named {
            return None;
        }
        let mut before = places::configs().take_while(|path| *path != self.path);
        before.find(|path| path.symlink_metadata().is_ok())
    }

    /// Whether it is found by its name alone.
    pub(crate) fn must_be_named(&self) -> bool {
        self.named && !places::configs().any(|path| path == self.path)
    }

    /// What stands there.
    ///
    /// # Errors
    /// Something that is not written over.
    pub(crate) fn there(&self) -> Result<There, Failure> {
        if !disk::stands(&self.path).map_err(|error| self.cannot(&error))? {
            return Ok(There::Nothing);
        }
        let text = disk::read_named(&self.path, SIZE_MAX);
        let text = text.map(|(bytes, _)| String::from_utf8_lossy(&bytes).into_owned());
        if text.is_ok_and(|text| is_blank(&text)) {
            return Ok(There::Example);
        }
        Ok(There::Config)
    }

    /// Writes the config; over what stands there only if `over` says so: it is kept, and where is
    /// told.
    ///
    /// # Errors
    /// `Exit::State`: what stands in the way, such as a config that another process has just written.
    pub(crate) fn write(&self, text: &str, over: bool) -> Result<Option<PathBuf>, Failure> {
        let dir = self.path.parent().unwrap_or(Path::new("/"));
        if !self.named {
            // Whose configs all may look for in there, or one's own.
            let mode = if is_root() { 0o755 } else { 0o700 };
            disk::make_dirs(dir, mode).map_err(|error| self.cannot(&error))?;
        }
        let written = std::fs::metadata(dir).and_then(|meta| {
            let owner = Owner::of_directory(&meta);
            if over && disk::stands(&self.path)? {
                disk::place_over(&self.path, text.as_bytes(), MODE, owner).map(Some)
            } else {
                disk::place(&self.path, text.as_bytes(), MODE, owner).map(|()| None)
            }
        });
        written.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => self.stays(),
            _ => self.cannot(&error),
        })
    }

    /// Why a config that is there stays.
    pub(crate) fn stays(&self) -> Failure {
        let path = self.path.display();
        let what = say!(
            "{path} 已经存在，没有改动",
            "{path} is there already, and was not touched"
        );
        Failure::new(Exit::State, what).hint(say!(
            "要替换它就加 --force（原文件保存为 .old），或用 --config 写到别处",
            "replace it by --force (it is kept as .old), or write elsewhere by --config"
        ))
    }

    fn cannot(&self, error: &std::io::Error) -> Failure {
        let path = self.path.display();
        let what = say!(
            "{path} 写不了：{error}",
            "{path} cannot be written: {error}"
        );
        Failure::new(Exit::State, what).hint(say!(
            "用 --config 指定另一个文件，其目录要已存在且可写",
            "name another file by --config, in a directory that is there and can be written to"
        ))
    }
}

fn is_root() -> bool {
    crate::disk::euid() == 0
}

/// Whether a config is the example as it comes, or as a package brings it, the three settings
/// commented out: nobody has put anything into it.
fn is_blank(text: &str) -> bool {
    let placeholders = [
        "corpid = \"<企业ID>\"",
        "corpsecret = \"<Secret>\"",
        "agentid = 0",
    ];
    let lines = || text.lines().map(str::trim_end);
    let has = |it: &str| lines().any(|line| line.strip_prefix('#').unwrap_or(line) == it);
    let says_nothing = |line: &str| {
        line.is_empty() || line.starts_with(['#', '[']) || placeholders.contains(&line)
    };
    placeholders.into_iter().all(has) && lines().all(says_nothing)
}

#[cfg(test)]
mod tests {
    use super::is_blank;

    #[test]
    fn the_example_as_it_comes_is_blank_and_one_that_was_begun_is_not() {
        let example = include_str!("../../config.example.toml");
        assert!(is_blank(example));
        assert!(is_blank(&example.replace('\n', "\r\n")));
        let packaged = example.replace("\ncorp", "\n#corp");
        let packaged = packaged.replace("\nagentid", "\n#agentid");
        assert!(is_blank(&packaged));
        assert!(!is_blank(&format!(
            "corpid = \"ww0123456789abcdef\"\n{packaged}"
        )));
        assert!(!is_blank(&example.replace("#prefix", "prefix")));
        assert!(!is_blank(&example.replace("agentid = 0", "agentid = 7")));
        assert!(!is_blank(""));
    }
}
