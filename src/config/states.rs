//! All state directories of a config: a flush serves each of its profiles.

use std::iter;
use std::path::PathBuf;

use super::Config;
use super::paths::{self, NoPlace, State};

impl Config {
    /// Returns the directories for state, without duplicates. First that of the profile in force,
    /// created if needed; then those without a profile and of each profile, as in `settings_of`, if
    /// they exist.
    pub(crate) fn states(&self) -> Vec<Result<State, NoPlace>> {
        let mut states: Vec<Result<State, NoPlace>> = Vec::new();
        for (at, dir) in self.state_dirs().iter().map(Option::as_deref).enumerate() {
            let found = if at == 0 {
                Some(paths::state(dir))
            } else {
                paths::state_if_there(dir)
            };
            let Some(state) = found else { continue };
            let is_known = state
                .as_ref()
                .is_ok_and(|state| states.iter().flatten().any(|known| known.is(state)));
            if !is_known {
                states.push(state);
            }
        }
        states
    }

    /// Returns the `state_dir` settings in that order; `None` is the default.
    fn state_dirs(&self) -> Vec<Option<PathBuf>> {
        let profiles = self.file.profiles.values().map(Some);
        let others = iter::once(None).chain(profiles);
        let others = others.map(|profile| self.levels(profile, true));
        let mut dirs = Vec::new();
        for levels in iter::once(self.levels_in_force()).chain(others) {
            let dir = levels.pick(|layer| layer.state_dir.as_ref());
            if !dirs.contains(&dir) {
                dirs.push(dir);
            }
        }
        dirs
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    use super::super::InForce;
    use super::super::fuzz::parsed;
    use super::*;

    fn dir(text: &str) -> Option<PathBuf> {
        Some(PathBuf::from(text)).filter(|_| !text.is_empty())
    }

    #[test]
    fn state_directories_start_with_the_one_in_force_without_duplicates() {
        let path = Path::new("/etc/wxpush/config.toml");
        let text = "profiles.a.state_dir = \"/a\"\nprofiles.b.state_dir = \"/b\"\n\
            profiles.c.state_dir = \"/a/\"\nprofiles.d.safe = true\n";
        let top = "state_dir = \"top\"\n";
        for (text, variable, in_force, dirs) in [
            (text.to_owned(), "", "", vec!["", "/a", "/b"]),
            (text.to_owned(), "", "-p b", vec!["/b", "", "/a"]),
            (text.to_owned(), "", "b", vec!["/b", "", "/a"]),
            (text.to_owned(), "/env", "-p b", vec!["/b", "/env", "/a"]),
            (text.to_owned(), "/env", "b", vec!["/env", "/a", "/b"]),
            (
                format!("{top}{text}"),
                "",
                "d",
                vec!["/etc/wxpush/top", "/a", "/b"],
            ),
            (top.to_owned(), "/env", "", vec!["/env"]),
            (String::new(), "", "", vec![""]),
        ] {
            let mut config = parsed(path, &text).unwrap();
            config.environment.state_dir = dir(variable);
            config.in_force = (!in_force.is_empty()).then(|| InForce {
                name: in_force.trim_start_matches("-p ").to_owned(),
                by_option: in_force.starts_with("-p"),
            });
            let dirs: Vec<_> = dirs.into_iter().map(dir).collect();
            assert_eq!(config.state_dirs(), dirs, "{text} {variable} {in_force}");
        }
    }

    #[test]
    fn a_state_directory_is_listed_once_under_any_name_and_others_are_not_created() {
        let name = format!("wxpush-states-{}", std::process::id());
        let place = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(place.join("here")).unwrap();
        fs::set_permissions(place.join("here"), Permissions::from_mode(0o755)).unwrap();
        symlink("here", place.join("link")).unwrap();
        fs::write(place.join("file"), "").unwrap();
        let text = "state_dir = \"here\"\nprofiles.a.state_dir = \"link\"\n\
            profiles.b.state_dir = \"none\"\nprofiles.c.state_dir = \"file\"\n";
        let mut config = parsed(&place.join("config.toml"), text).unwrap();
        let shown = |config: &Config| -> Vec<PathBuf> {
            let of_state = |state: Result<State, NoPlace>| match state {
                Ok(state) => state.file("x"),
                Err(place) => place.0[0].0.clone(),
            };
            config.states().into_iter().map(of_state).collect()
        };
        let (here, file) = (place.join("here/x"), place.join("file"));
        assert_eq!(shown(&config), [here.clone(), file.clone()]);
        assert!(!place.join("none").exists());
        config.in_force = Some(InForce {
            name: "b".to_owned(),
            by_option: true,
        });
        assert_eq!(shown(&config), [place.join("none/x"), here, file]);
        fs::remove_dir_all(&place).unwrap();
    }
}
