//! A headless Chromium with one page, driven over pipes by its debugging protocol.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::PATIENCE;

/// What makes it take the protocol on descriptors 3 and 4, and keep its own words to itself.
const START: &str = "exec chromium-headless-shell --no-sandbox --disable-gpu --remote-debugging-pipe \
    --no-first-run about:blank 3<&0 4>&1 </dev/null >/dev/null 2>&1";

/// A browser, which ends with this.
pub(crate) struct Browser {
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    number: u64,
    session: Value,
}

impl Browser {
    /// Opens a page.
    pub(crate) fn open(url: &str) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", START])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell is there");
        let answers = child.stdout.take().expect("it is piped");
        let mut browser = Self {
            commands: child.stdin.take(),
            child,
            answers: BufReader::new(answers),
            number: 0,
            session: Value::Null,
        };
        let page = browser.calls("Target.createTarget", json!({"url": "about:blank"}));
        let target = json!({"targetId": page["targetId"], "flatten": true});
        browser.session = browser.calls("Target.attachToTarget", target)["sessionId"].clone();
        browser.calls("Page.navigate", json!({"url": url}));
        browser
    }

    /// What an expression comes to on the page.
    #[track_caller]
    pub(crate) fn finds(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true});
        let answer = self.calls("Runtime.evaluate", params);
        assert_eq!(answer.get("exceptionDetails"), None, "{expression}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub(crate) fn awaits(&mut self, expression: &str) {
        let begun = Instant::now();
        while self.finds(expression) != true {
            if begun.elapsed() > PATIENCE {
                let page = self.finds("document.body?.innerText");
                panic!("not true: {expression}, of {page}");
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn calls(&mut self, method: &str, params: Value) -> Value {
        self.number += 1;
        let mut call = json!({"id": self.number, "method": method, "params": params});
        if !self.session.is_null() {
            call["sessionId"] = self.session.clone();
        }
        let commands = self.commands.as_mut().expect("it is open");
        let written = commands.write_all(format!("{call}\0").as_bytes());
        written.expect("the browser is there: is chromium-headless-shell installed?");
        loop {
            let mut bytes = Vec::new();
            let read = self.answers.read_until(0, &mut bytes);
            assert!(read.is_ok_and(|count| count > 0), "the browser is gone");
            bytes.pop();
            let answer: Value = serde_json::from_slice(&bytes).expect("the protocol is JSON");
            if answer["id"] == self.number {
                assert_eq!(answer.get("error"), None, "{method}");
                return answer["result"].clone();
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // All of its processes end with the pipe.
        self.commands = None;
        let _ = self.child.wait();
    }
}
