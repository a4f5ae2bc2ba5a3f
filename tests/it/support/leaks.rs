//! Looks for secrets in everything that a test leaves behind: what was printed, the files of its
//! sandbox, their names.
//!
//! Whatever a test is about, it fails if it finds the app's secret, the robot's key or a token that
//! any stand-in granted: as it is, percent-encoded or in base64, whole or any eight characters of it.
//! What may hold one: a file that the test wrote itself (a config, a secret's own file); the field
//! `access_token` of the token cache; stdout of `token print`.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, RwLock};

use serde_json::Value;

use crate::standin::{CORPID, ROBOT_KEY, SECRET, granted};
use crate::support::documents::page;
use crate::support::{Run, set_up, token};

/// Characters that count as showing a secret.
const PIECE: usize = size_of::<u64>();

/// The filter's size as a power of two, in bits: room for some thousand tokens.
const FILTER: u32 = 26;

/// Whose text a piece is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Secret,
    Token,
}

/// Every piece of every secret in every form, as the number that its eight bytes make.
struct Pieces {
    known: HashMap<u64, (Of, &'static str)>,
    /// One bit for each hash of a piece: nearly all of a text is passed by with a look at it.
    filter: Vec<u64>,
    /// How many of the granted tokens are in.
    tokens: usize,
}

static PIECES: LazyLock<RwLock<Pieces>> = LazyLock::new(|| {
    let mut pieces = Pieces {
        known: HashMap::new(),
        filter: vec![0; 1 << (FILTER - 6)],
        tokens: 0,
    };
    pieces.add(Of::Secret, SECRET);
    pieces.add(Of::Secret, ROBOT_KEY);
    // Some tests have a second app, or take this for a wrong secret.
    pieces.add(Of::Secret, &reversed());
    RwLock::new(pieces)
});

/// The secret from its end.
pub(crate) fn reversed() -> String {
    SECRET.chars().rev().collect()
}

/// Has one more secret looked for in everything from now on, by all tests.
pub(crate) fn conceal(secret: &str) {
    PIECES.write().unwrap().add(Of::Secret, secret);
}

/// Where no program may write the keys of its TLS connections.
pub(crate) fn key_log() -> &'static Path {
    static PATH: LazyLock<PathBuf> = LazyLock::new(|| {
        let name = format!("{}-keys", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // Of a run that failed, long ago, and had the same process id.
        let _ = fs::remove_file(&path);
        path
    });
    &PATH
}

impl Pieces {
    fn add(&mut self, of: Of, text: &str) {
        for (form, bit, shape) in forms(text.as_bytes()) {
            for (at, piece) in shape.windows(PIECE).enumerate() {
                // Eight letters of one case are a word by chance, once in many tokens; in base64
                // six letters of it are, once in a few.
                let by_chance = !is_mixed(piece)
                    || bit.is_some_and(|bit| {
                        let bits = bit + 6 * at;
                        let meant = &text.as_bytes()[bits.div_ceil(8)..(bits + 6 * PIECE) / 8];
                        !is_mixed(meant) || !meant.iter().any(u8::is_ascii_digit)
                    });
                if of == Of::Token && by_chance {
                    continue;
                }
                let number = u64::from_be_bytes(piece.try_into().unwrap());
                self.known.entry(number).or_insert((of, form));
                let (word, bit) = place(number);
                self.filter[word] |= bit;
            }
        }
    }

    /// Takes over the tokens that were granted since.
    fn update(&mut self) {
        for token in granted(self.tokens) {
            self.add(Of::Token, &token);
            self.tokens += 1;
        }
    }

    /// The first piece in a text: where it ends, and what it is.
    fn find(&self, text: &[u8], may_show_tokens: bool) -> Option<(usize, Of, &'static str)> {
        let mut number = 0_u64;
        for (at, byte) in text.iter().enumerate() {
            number = (number << 8) | u64::from(*byte);
            let (word, bit) = place(number);
            if self.filter[word] & bit != 0
                && let Some((of, form)) = self.known.get(&number)
                && !(may_show_tokens && *of == Of::Token)
            {
                return Some((at + 1, *of, form));
            }
        }
        None
    }
}

/// The word and the bit of the filter for a piece.
fn place(piece: u64) -> (usize, u64) {
    // Knuth's multiplicative hash.
    let hash = piece.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - FILTER);
    let word = (hash >> 6) as usize;
    (word, 1 << (hash & 63))
}

fn is_mixed(piece: &[u8]) -> bool {
    !piece.iter().all(u8::is_ascii_lowercase) && !piece.iter().all(u8::is_ascii_uppercase)
}

/// What a secret may look like; of base64 from which of its bits on, too.
fn forms(text: &[u8]) -> Vec<(&'static str, Option<usize>, Vec<u8>)> {
    let mut forms = vec![("as it is", None, text.to_vec())];
    let percent = |hex: fn(u8) -> String| {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric();
        text.iter()
            .flat_map(move |byte| match byte {
                byte if plain(byte) => vec![*byte],
                byte => hex(*byte).into_bytes(),
            })
            .collect()
    };
    for hex in [|byte| format!("%{byte:02X}"), |byte| format!("%{byte:02x}")] {
        forms.push(("percent-encoded", None, percent(hex)));
    }
    for marks in [b"+/", b"-_"] {
        // Where three bytes begin depends on what stands before the secret.
        for bit in [0, 2, 4] {
            forms.push(("in base64", Some(bit), base64(text, bit, *marks)));
        }
    }
    forms
}

/// A text from this bit on in base64, as far as it depends on nothing else.
fn base64(text: &[u8], bit: usize, marks: [u8; 2]) -> Vec<u8> {
    let digits: Vec<u8> = (b'A'..=b'Z')
        .chain(b'a'..=b'z')
        .chain(b'0'..=b'9')
        .chain(marks)
        .collect();
    let digit = |bit: usize| {
        let next = text.get(bit / 8 + 1).copied().unwrap_or_default();
        let both = u16::from_be_bytes([text[bit / 8], next]);
        digits[usize::from((both >> (10 - bit % 8)) & 63)]
    };
    let last = (text.len() * 8).saturating_sub(5);
    (bit..last).step_by(6).map(digit).collect()
}

/// Says which secret a text shows, in which form, and amid which words.
pub(crate) fn found(text: &[u8], may_show_tokens: bool) -> Option<String> {
    PIECES.write().unwrap().update();
    let (end, of, form) = PIECES.read().unwrap().find(text, may_show_tokens)?;
    let amid = &text[end.saturating_sub(PIECE + 60)..(end + 60).min(text.len())];
    let amid = String::from_utf8_lossy(amid);
    let of = if of == Of::Secret { "secret" } else { "token" };
    Some(format!("eight characters of a {of}, {form}, amid {amid:?}"))
}

/// Holds that a text shows no secret.
#[track_caller]
pub(crate) fn hold(artefact: &str, text: &[u8], may_show_tokens: bool) {
    if std::thread::panicking() {
        return;
    }
    let found = found(text, may_show_tokens);
    assert_eq!(found, None, "{artefact} shows a secret");
}

/// What the files below a directory show of secrets, or their names; those apart that the test
/// itself wrote.
pub(crate) fn found_below(dir: &Path, written: &HashSet<Vec<u8>>) -> Option<String> {
    // What can't be read, or is gone by now, shows nothing.
    let entries = fs::read_dir(dir).ok()?;
    entries.flatten().find_map(|entry| {
        let found = found_at(&entry.path(), written)?;
        Some(format!("{} shows {found}", entry.path().display()))
    })
}

fn found_at(path: &Path, written: &HashSet<Vec<u8>>) -> Option<String> {
    let name = path.file_name().expect("it has one").as_bytes();
    let by_name = found(name, false);
    let kind = path.symlink_metadata().ok()?.file_type();
    if by_name.is_some() {
        return by_name;
    } else if kind.is_dir() {
        return found_below(path, written);
    } else if kind.is_symlink() {
        let target = fs::read_link(path).ok()?;
        return found(target.as_os_str().as_bytes(), false);
    } else if !kind.is_file() {
        return None;
    }
    let bytes = fs::read(path).ok()?;
    let is_program = bytes.starts_with(b"\x7fELF");
    if is_program || written.contains(&bytes) {
        None
    } else if name.starts_with(b"token_cache.json") {
        found(&without_tokens(bytes), false)
    } else {
        found(&bytes, false)
    }
}

/// A token cache without what it is for.
fn without_tokens(cache: Vec<u8>) -> Vec<u8> {
    let Ok(Value::Object(mut records)) = serde_json::from_slice(&cache) else {
        return cache;
    };
    for record in records.values_mut().filter_map(Value::as_object_mut) {
        record.remove("access_token");
    }
    Value::Object(records).to_string().into_bytes()
}

/// What coreutils make of a text; ours is not its own judge.
pub(crate) fn base64_of(text: &str) -> String {
    let mut command = Command::new("base64");
    command.arg("--wrap=0").stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn every_form_of_a_secret_is_found_and_nothing_else() {
    let (_standin, sandbox) = set_up();
    sandbox.send("x").is_silent();
    let is_found = |text: &str| found(text.as_bytes(), false).is_some();
    let granted = token(&sandbox);
    for secret in [SECRET, &reversed(), &granted] {
        assert!(is_found(secret) && is_found(&format!("a {secret} b")));
        for at in [0, 11, 35] {
            assert!(is_found(&format!(" {} ", &secret[at..at + 8])), "{secret}");
            assert!(!is_found(&format!(" {} ", &secret[at..at + 7])), "{secret}");
        }
        let percent = secret.replace('-', "%2D").replace('_', "%5F");
        let at = percent.find('%').unwrap();
        assert!(is_found(&percent[at..at + 8]));
        let lower = percent.replace("%2D", "%2d").replace("%5F", "%5f");
        assert!(is_found(&lower[at..at + 8]));
        for before in ["", "a", "ab", "corpsecret="] {
            for after in ["", "&x"] {
                let encoded = base64_of(&format!("{before}{secret}{after}"));
                // Of the many tokens only what is no word by chance.
                let piece = secret == granted || is_found(&encoded[20..28]);
                assert!(is_found(&encoded) && piece, "{before}");
                let url_safe = encoded.replace('+', "-").replace('/', "_");
                assert!(is_found(&url_safe[16..]), "{before}");
            }
        }
    }
    assert!(found(token(&sandbox).as_bytes(), true).is_none());
    assert!(found(SECRET.as_bytes(), true).is_some());
    let [readme, chinese] = ["README.md", "README.zh-CN.md"].map(|path| page(path).text);
    for innocent in [
        "",
        "x",
        &readme,
        &chinese,
        &base64_of(&readme),
        &CORPID.repeat(9),
    ] {
        assert_eq!(found(innocent.as_bytes(), false), None);
    }
}

#[test]
fn no_file_of_a_sandbox_hides_a_secret() {
    let (_standin, sandbox) = set_up();
    sandbox.send("x").is_silent();
    let granted = token(&sandbox);
    let found = || found_below(&sandbox.path(""), &sandbox.written());
    // The config is the test's, the cache has leave.
    assert_eq!(found(), None);
    fs::create_dir(sandbox.path("deep")).unwrap();
    let record = format!("{{\"a\": {{\"access_token\": \"x\", \"check\": \"{granted}\"}}}}");
    for (name, text) in [
        ("wxpush.log", &*granted),
        ("wxpush.log", SECRET),
        ("deep/token_cache.json.new", &*record),
        ("token_cache.json", SECRET),
        ("config.toml", &format!("{}#", sandbox.read("config.toml"))),
        (&format!("deep/{}", &SECRET[..12]), ""),
    ] {
        let before = fs::read(sandbox.path(name));
        fs::write(sandbox.path(name), text).unwrap();
        assert!(
            found().is_some_and(|it| it.contains(name)),
            "{name}: {text}"
        );
        match before {
            Ok(before) => fs::write(sandbox.path(name), before).unwrap(),
            Err(_) => fs::remove_file(sandbox.path(name)).unwrap(),
        }
        assert_eq!(found(), None);
    }
    symlink(SECRET, sandbox.path("link")).unwrap();
    assert!(found().is_some());
    // And all of that when a sandbox goes, without being asked.
    catch_unwind(AssertUnwindSafe(|| drop(sandbox))).expect_err("a link shows the secret");
}

#[test]
fn no_run_prints_a_secret_unnoticed() {
    let (_standin, sandbox) = set_up();
    sandbox.wxpush("token print").exits(0);
    for (what, script) in [
        ("the secret on stdout", "echo x; echo \"$1\""),
        ("the secret on stderr", "echo \"$1\" >&2"),
        ("a token on stdout", "echo \"$2\""),
        ("the secret beside a token", "echo \"$1\"; : token print"),
        ("a token on stderr", "echo \"$2\" >&2; : token print"),
    ] {
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh", SECRET, &token(&sandbox)]);
        let run = AssertUnwindSafe(Run::new(command));
        catch_unwind(|| { run }.0.run()).expect_err(what);
    }
}
