//! `waxseal card serve` as a program.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use waxseal_card::transcript::{Line, Transcript};

use crate::components::Component::{Confinement, OpenSc, Pcscd};
use crate::confined::Job;
use crate::desk::Desk;

pub(crate) fn jobs() -> Vec<Job> {
    let needs = [Confinement, Pcscd, OpenSc];
    vec![
        Job::new("waxseal card serve, two cards and a transcript", &needs, two_cards),
        Job::new("waxseal card serve ends with standard input", &needs, standard_input),
        Job::new("waxseal card serve, wrong use", &needs, wrong_use),
    ]
}

fn start(desk: &Desk, arguments: &[&str]) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_waxseal"))
        .args(["card", "serve"])
        .args(arguments)
        .current_dir(desk.path("."))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, line)
}

fn two_cards() {
    let desk = Desk::empty(&[]);
    let arguments = ["--model", "piv-rsa2048", "--model", "ecert-pkcs15", "--transcript", "session.txt"];
    let (mut child, line) = start(&desk, &arguments);
    assert_eq!(line, "ready: piv-rsa2048 at 127.0.0.1:35963, ecert-pkcs15 at 127.0.0.1:35964\n");
    desk.wait_for_cards(2);
    desk.run("pkcs15-tool", &["--reader", "1", "--list-certificates"]).good();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    desk.wait_for_cards(0);
    let [piv, pkcs15] = ["session.1.txt", "session.2.txt"].map(|name| transcript(&desk, name));
    assert!(!desk.path("session.txt").exists());
    // Whoever looks for certificates of PKCS #15 reads files, and those are on the second card.
    let reads = |transcript: &Transcript| {
        let exchanges = transcript.exchanges();
        let reads = exchanges.iter().filter_map(|each| each.command.as_ref()).filter(|each| each.instruction == 0xB0);
        reads.count()
    };
    assert!(reads(&piv) == 0 && reads(&pkcs15) > 3, "{piv}\n{pkcs15}");
    assert!(piv.key_operations().is_empty() && pkcs15.key_operations().is_empty());
    // pcscd asks for it again and again.
    let atrs = |transcript: &Transcript| transcript.lines.iter().filter(|line| matches!(line, Line::Atr(_))).count();
    assert_eq!((atrs(&piv), atrs(&pkcs15)), (1, 1));
}

fn transcript(desk: &Desk, name: &str) -> Transcript {
    String::from_utf8(desk.read(name)).unwrap().parse().unwrap()
}

fn standard_input() {
    let desk = Desk::empty(&[]);
    let arguments =
        ["--model", "piv-p256", "--vpcd", "127.0.0.1:35964", "--until-stdin-closes", "--transcript", "session.txt"];
    let (mut child, line) = start(&desk, &arguments);
    assert_eq!(line, "ready: piv-p256 at 127.0.0.1:35964\n");
    desk.wait_for_cards(1);
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!transcript(&desk, "session.txt").lines.is_empty());
}

fn wrong_use() {
    let desk = Desk::empty(&[]);
    for (arguments, why) in [
        (&["--model", "piv-p256", "--vpcd", "192.0.2.1:35963"][..], "192.0.2.1:35963 is not a loopback address"),
        (&["--model", "piv-p256", "--listen", "0.0.0.0:1"], "0.0.0.0:1 is not a loopback address"),
        (&["--model", "no-such"], "there is no model \"no-such\""),
        (&["--model", "a", "--model", "b", "--vpcd", "127.0.0.1:1"], "2 cards and 1 addresses"),
        (&["--model", "piv-p256", "--listen", "127.0.0.1:35963"], "127.0.0.1:35963: "),
    ] {
        let said = desk.waxseal(&[&["card", "serve"], arguments].concat()).bad();
        assert!(said.contains(why), "{said}");
    }
}
