//! Uploads on networks that are slow or dead: as long as something moves there is time, and not much
//! once nothing does.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use crate::standin::{Fault, Standin};
use crate::support::{Sandbox, UPLOAD, config, files, for_each, here, waiting};

/// After so many bytes of a connection it is that of an upload.
const SMALL: usize = 16 << 10;

/// Passes on what comes for the stand-in, of an upload so many bytes a second; with none it reads no
/// more of it. Says where.
fn narrow(standin: &Standin, speed: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let address = standin.base().replace("http://", "");
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(&address).unwrap();
            let (back, to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || pump(back, to, usize::MAX));
            std::thread::spawn(move || pump(client, server, speed));
        }
    });
    base
}

fn pump(mut from: TcpStream, mut to: TcpStream, speed: usize) {
    let (mut bytes, mut all) = ([0; 8 << 10], 0);
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        all += count;
        if all > SMALL && speed == 0 {
            // Open, and never read again.
            std::thread::sleep(Duration::from_mins(5));
        }
        if all > SMALL && speed != usize::MAX {
            let micros = count * 1_000_000 / speed;
            std::thread::sleep(Duration::from_micros(micros as u64));
        }
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// A sandbox with a file of so many bytes, behind that.
fn behind(base: &str, size: usize) -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox.write("config.toml", config(base));
    sandbox.write("a.bin", b"0123456789abcdef".repeat(size / 16));
    sandbox
}

#[test]
fn a_dead_upload_is_left_ten_seconds_after_the_last_byte_however_large_the_file() {
    // A server that reads no more, and one that reads all and never answers.
    for_each([true, false], |reads_no_more| {
        let standin = Standin::start();
        standin.always(UPLOAD, Fault::Hang);
        let base = if reads_no_more {
            narrow(&standin, 0)
        } else {
            standin.base()
        };
        let sandbox = behind(&base, 5 << 20);
        let sent = here(&sandbox, "send --timeout 5s --file a.bin").run();
        assert!(sent.time < Duration::from_secs(9), "{:?}", sent.time);
        sent.exits(75);
        assert_eq!(waiting(&sandbox).len(), 1);
        let before = standin.count(UPLOAD);
        let flushed = here(&sandbox, "outbox flush --timeout 2s").run();
        // 2 s for the flush, 10 in which nothing moves, 5 for a relay that hands 5 MB on.
        assert!(flushed.time < Duration::from_secs(22), "{:?}", flushed.time);
        flushed.exits(75);
        assert!(reads_no_more || standin.count(UPLOAD) == before + 1);
        assert_eq!(waiting(&sandbox).len(), 1, "it is kept");
    });
}

#[test]
fn a_slow_upload_has_the_time_that_its_size_takes() {
    let standin = Standin::start();
    let sandbox = behind(&narrow(&standin, 100_000), 2 << 20);
    let sent = here(&sandbox, "send --to lisi --file a.bin").run();
    assert!(
        sent.time > Duration::from_secs(12),
        "it was slow: {:?}",
        sent.time
    );
    sent.is_silent();
    let files = files(&standin, "lisi");
    assert_eq!((files.len(), files[0].bytes.len()), (1, 2 << 20));
    assert_eq!(standin.count(UPLOAD), 1);
}

#[test]
fn a_relay_that_takes_all_and_hands_it_on_slowly_is_waited_for() {
    let standin = Standin::start();
    standin.script(UPLOAD, [Fault::Delay(Duration::from_secs(13))]);
    let sandbox = behind(&standin.base(), 5 << 20);
    here(&sandbox, "send --to lisi --file a.bin").is_silent();
    assert_eq!(files(&standin, "lisi").len(), 1);
    assert_eq!(standin.count(UPLOAD), 1);
}
