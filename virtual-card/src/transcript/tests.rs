//! Transcripts that are made by hand.

use super::{explain::explain, *};
use crate::Card;

const SESSION: &str = "\
waxseal card transcript 1
# what OpenSC 0.23 sends for a signature
atr 3B80800101
reset
> 00A40400 09 A00000030800001000 00
< 6106 9000
> 00CB3FFF 05 5C035FC105 08
< 5382030070820200 61FF
> 00C00000 FF
< 3030 6102
> 00C00000 02
< 3131 9000
> 00200080 08 ****************
< 63C2
> 1087079C 04 7C848200
< 9000
> 0087079C 04 81020001 00
< 7C03820155 9000
lost removed
begin
end
reconnect
";

/// Not as a card answers, but whole: what a signature looks like when it is chained.
const SIGNATURE: &str = "\
waxseal card transcript 1
> 00A40400 09 A00000030800001000 00
< 9000
> 1087079C 03 7C0582
< 9000
> 0087079C 04 00810101 00
< 7C03820155 9000
> 0087079D 07 7C0582008101AA 00
< 7C038201** 6982
> 0087079D 07 7C0582008101AA 00
< **********9000
";

#[test]
fn a_transcript_is_written_as_it_was_read() {
    let transcript: Transcript = SESSION.parse().unwrap();
    assert_eq!(transcript.to_string(), SESSION);
    assert_eq!(transcript.lines.len(), 21);
}

#[test]
fn what_is_no_transcript_is_told_with_its_line() {
    for (text, expected) in [
        ("", "line 1: no transcript: it is empty"),
        ("> 00A40400", "line 1: no transcript: the first line is not `waxseal card transcript 1`"),
        ("waxseal card transcript 2\n", "line 1: a transcript of another format; this program reads format 1"),
        ("waxseal card transcript 1\n\n> 00A4040", "line 3: neither hexadecimal digits nor `**`"),
        ("waxseal card transcript 1\n> 00*4", "line 2: neither hexadecimal digits nor `**`"),
        ("waxseal card transcript 1\n< 90", "line 2: a response without a status word"),
        ("waxseal card transcript 1\nlost in the post", "line 2: no such reason for a missing answer"),
    ] {
        assert_eq!(text.parse::<Transcript>().unwrap_err().to_string(), expected);
    }
}

#[test]
fn chains_and_the_rest_of_a_response_are_joined() {
    let exchanges = SESSION.parse::<Transcript>().unwrap().exchanges();
    let found: Vec<_> = exchanges.iter().map(|each| (each.line, each.commands, each.get_responses)).collect();
    assert_eq!(found, [(5, 1, 0), (7, 1, 2), (13, 1, 0), (15, 2, 0)]);
    let Outcome::Answered { data, status, .. } = &exchanges[1].outcome else { panic!("{:?}", exchanges[1]) };
    assert_eq!((data.len(), status.0), (12, 0x9000));
    assert_eq!(exchanges[3].command.as_ref().unwrap().data.as_slice(), [0x7C, 0x84, 0x82, 0, 0x81, 2, 0, 1]);
    assert_eq!(exchanges[3].outcome, Outcome::Failed(Failure::Removed));
}

#[test]
fn operations_of_private_keys_are_those_that_were_done() {
    let operations = SIGNATURE.parse::<Transcript>().unwrap().key_operations();
    let words: Vec<_> =
        operations.iter().map(|each| format!("{} {} {}", each.key, each.operation.name(), each.algorithm)).collect();
    assert_eq!(words, ["slot 9C sign RSA 2048", "slot 9D decrypt RSA 2048"]);
}

#[test]
fn a_key_of_pkcs_15_is_the_one_that_was_set() {
    let text = "\
waxseal card transcript 1
> 00A40400 0C F276A288BCFBA69D34F31001
< 000606 9000
> 002A8086 02 0001 00
< ** 9000
> 002241B8 06 800111840101
< 9000
> 002A8086 02 0001 00
< ** 9000
> 002241B6 06 800121840102
< 6A88
> 002A9E9A 02 0001 00
< 55 9000
";
    let transcript: Transcript = text.parse().unwrap();
    let operations = transcript.key_operations();
    assert_eq!(operations.len(), 1, "{operations:?}");
    assert_eq!((operations[0].key, operations[0].operation), (KeyReference::Pkcs15(1), Operation::Decrypt));
    let explained = explain(&transcript);
    assert_eq!(explained[2].about, "to decipher: key 01, RSA with PKCS #1 v1.5 padding by the card");
    assert_eq!(explained[3].command, "DECIPHER");
}

#[test]
fn sessions_are_compared_event_by_event() {
    let session: Transcript = SESSION.parse().unwrap();
    assert_eq!(session.departure_from(&session), None);
    let with = |from: &str, to: &str| SESSION.replace(from, to).parse::<Transcript>().unwrap();
    assert_eq!(with("# what", "# why\n# what").departure_from(&session), None, "notes do not count");
    let blanks = with("****************", "313233343536FFFF");
    assert_eq!((blanks.departure_from(&session), session.departure_from(&blanks)), (None, None));
    let departure = with("< 63C2", "< 9000").departure_from(&session).unwrap();
    assert_eq!(departure.to_string(), "line 14 of the transcript: expected `< 63C2`, found `< 9000`");
    let shorter = with("reconnect\n", "");
    let departure = shorter.departure_from(&session).unwrap();
    assert_eq!(departure.to_string(), "line 22 of the transcript: expected `reconnect`, and the session has ended");
    let departure = session.departure_from(&shorter).unwrap();
    assert_eq!(departure.to_string(), "line 22 of the transcript: it has ended, found `reconnect`");
}

#[test]
fn a_replayed_card_answers_as_it_did_and_says_where_the_host_departs() {
    let octets = |hex: &str| Octets::read(hex).unwrap().or_zeros();
    let (mut card, replay) = ReplayedCard::new(SESSION.parse().unwrap());
    assert_eq!(card.atr(), octets("3B80800101"));
    card.reset().unwrap();
    assert_eq!(*card.transmit(&octets("00A4040009A0000003080000100000")).unwrap(), octets("61069000"));
    assert_eq!(*card.transmit(&octets("00CB3FFF055C035FC10508")).unwrap(), octets("538203007082020061FF"));
    assert_eq!(replay.departure(), None);
    assert_eq!(card.transmit(&octets("00CB3FFF055C035FC10208")), Err(Lost::Mute));
    let departure = replay.departure().unwrap().to_string();
    assert!(
        departure.starts_with("line 9 of the transcript: expected `> 00C00000 FF`, found `> 00CB3FFF"),
        "{departure}"
    );
    assert_eq!(card.transmit(&octets("00C00000FF")), Err(Lost::Mute), "it stays silent");
    assert!(replay.left() > 0);
}

#[test]
fn a_replay_ends_with_what_the_session_ended_with() {
    let text = "waxseal card transcript 1\n> 00200080 02 ****\n< 9000\n# note\n> 00C0000002\n< **** 9000\nreset\nlost no-card\n";
    let (mut card, replay) = ReplayedCard::new(text.parse().unwrap());
    assert_eq!(*card.transmit(&[0, 0x20, 0, 0x80, 2, 7, 8]).unwrap(), [0x90, 0]);
    assert_eq!(*card.transmit(&[0, 0xC0, 0, 0, 2]).unwrap(), [0, 0, 0x90, 0]);
    assert_eq!(card.reset(), Err(Lost::Removed));
    assert_eq!((replay.left(), replay.departure()), (0, None));
}

/// Every way in which a secret could come into a transcript.
#[test]
fn no_secret_comes_onto_the_tape() {
    struct Answers(Vec<&'static str>);
    impl Card for Answers {
        fn atr(&self) -> Vec<u8> {
            Vec::new()
        }
        fn reset(&mut self) -> Result<(), Lost> {
            Ok(())
        }
        fn transmit(&mut self, _: &[u8]) -> Result<zeroize::Zeroizing<Vec<u8>>, Lost> {
            Ok(zeroize::Zeroizing::new(Octets::read(self.0.remove(0)).unwrap().or_zeros()))
        }
    }
    // 5E stands for a secret octet, whoever sends it.
    let session = [
        ("00200080085E5E5E5E5E5E5E5E", "9000"),
        ("00240080105E5E5E5E5E5E5E5E5E5E5E5E5E5E5E5E", "9000"),
        ("002C0080105E5E5E5E5E5E5E5E5E5E5E5E5E5E5E5E", "9000"),
        ("1020008000 0004 5E5E5E5E", "9000"),
        ("00200080 04 5E5E5E5E", "9000"),
        // The lengths do not fit: nobody knows where the PIN begins.
        ("00200080 09 5E5E5E5E", "6700"),
        // RSA decryption in two commands, and the rest of its answer.
        ("1087079D 03 7C0582", "9000"),
        ("0087079D 04 0081010F 00", "7C825E5E 6102"),
        ("00C0000002", "5E5E 9000"),
        // ECDH, and RSA decryption with a key that is there for something else.
        ("0087119D 07 7C0582008501AA 00", "7C03825E5E 9000"),
        ("008711A0 07 7C0582008501AA 00", "7C03825E5E 9000"),
        ("002A8086 02 0001 00", "5E5E 6101"),
        ("00C0000002", "5E5E 9000"),
        ("00DB3FFF 05 7F48025E5E", "9000"),
        ("10DB3FFF 05 7F48045E5E", "9000"),
        ("00DB3FFF 02 5E5E", "9000"),
        ("00FE079C 02 5E5E", "9000"),
        ("00FFFFFF 02 5E5E", "9000"),
    ];
    let tape = Tape::new();
    let mut card = RecordedCard::new(Answers(session.iter().map(|(_, answer)| *answer).collect()), tape.clone());
    for (command, _) in session {
        card.transmit(&Octets::read(command).unwrap().or_zeros()).unwrap();
    }
    let mut cryptogram = vec![0x7C, 0x81, 0x88, 0x82, 0x00, 0x81, 0x81, 0x80];
    cryptogram.extend([0x77; 0x80]);
    let command = crate::Command::new(0, 0x87, 6, 0x9A).with_data(cryptogram).expecting(256);
    card.card_mut().0.push("7C035E5E5E 9000");
    card.transmit(&command.to_bytes()).unwrap();
    let text = tape.transcript().to_string();
    assert!(!text.contains("5E"), "{text}");
    assert_eq!(text.matches("9000").count(), 16);
}

#[test]
fn what_is_no_secret_stays_readable() {
    let mut blanker = blank::Blanker::default();
    for (command, response) in [
        ("00A4040009A0000003080000100000", "61065E5E9000"),
        ("00CB3FFF055C035FC10508", "53025E5E9000"),
        ("0087119C257C238200812000112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF00", "7C0382015E9000"),
        ("0087039B047C02800000", "7C0380015E9000"),
        ("002A9E9A0411223344 00", "5E5E9000"),
        ("00B0000010", "5E5E9000"),
        ("00DB3FFF055C035FC105", "9000"),
    ] {
        let octets = |hex: &str| Octets::read(hex).unwrap();
        assert_eq!(blanker.command(&octets(command).or_zeros()), octets(command));
        assert_eq!(blanker.response(&octets(response).or_zeros()), octets(response));
    }
}

/// What GENERAL AUTHENTICATE with a key of RSA 2048 in slot 9A answers to a block.
fn answer_of_9a(block: &[u8]) -> Octets {
    let mut blanker = blank::Blanker::default();
    let template = [&[0x7C, 0x82, 0x01, 0x06, 0x82, 0x00, 0x81, 0x82, 0x01, 0x00], block].concat();
    assert_eq!(block.len(), 256);
    let (first, last) = template.split_at(255);
    let first = crate::Command::new(0x10, 0x87, 7, 0x9A).with_data(first);
    let last = crate::Command::new(0, 0x87, 7, 0x9A).with_data(last).expecting(256);
    for command in [first, last] {
        blanker.command(&command.to_bytes());
    }
    blanker.response(&[0x7C, 0x03, 0x82, 0x01, 0x5E, 0x90, 0x00])
}

#[test]
fn only_what_is_certainly_signed_is_answered_in_clear() {
    // EMSA-PKCS1-v1_5 (RFC 8017 section 9.2): 00 01, FF, 00, DigestInfo.
    let padded = |padding: usize, end: u8| {
        let mut block = [&[0, 1][..], [0xFF].repeat(padding).as_slice(), &[0]].concat();
        block.resize(256, end);
        block
    };
    assert!(!answer_of_9a(&padded(202, 0x30)).has_blanks());
    // The padding decides, and not the end.
    assert!(!answer_of_9a(&padded(202, 0xBC)).has_blanks());
    let cryptogram = [&[0x77; 255][..], &[0xBC]].concat();
    // Seven octets of padding are too few; and a cryptogram may well begin with 00 01 FF.
    let mut chance = cryptogram.clone();
    chance[..3].copy_from_slice(&[0x00, 0x01, 0xFF]);
    for block in [cryptogram, chance, padded(7, 0x30)] {
        assert_eq!(answer_of_9a(&block).to_string(), "**********9000");
    }
}

#[test]
fn only_keys_on_curves_sign_bare_hashes() {
    let answer = |algorithm: u8| {
        let mut blanker = blank::Blanker::default();
        let template = [&[0x7C, 0x24, 0x82, 0x00, 0x81, 0x20][..], &[0x11; 32]].concat();
        blanker.command(&crate::Command::new(0, 0x87, algorithm, 0x9C).with_data(template).to_bytes());
        blanker.response(&[0x5E, 0x90, 0x00]).has_blanks()
    };
    // SP 800-78-4 table 6-2; 03 is 3DES, E1 X25519 on a YubiKey.
    assert_eq!([0x11, 0x14, 0xF2].map(answer), [false; 3]);
    assert_eq!([0x03, 0x05, 0x06, 0x07, 0x16, 0xE1].map(answer), [true; 6]);
}

#[test]
fn a_chain_that_is_too_long_is_blanked_from_there_on() {
    let mut blanker = blank::Blanker::default();
    let part = |class| crate::Command::new(class, 0xDB, 0x3F, 0xFF).with_data(vec![0x5E; 255]).to_bytes();
    // 257 times 255 is 65535.
    for number in 0..600 {
        let is_kept = number < 257;
        assert_eq!(blanker.command(&part(0x10)).has_blanks(), !is_kept, "{number}");
        assert_eq!(blanker.response(&[0x5E, 0x90, 0x00]).has_blanks(), !is_kept, "{number}");
    }
    assert!(blanker.command(&part(0)).has_blanks());
    assert!(!blanker.command(&part(0)).has_blanks(), "the chain has ended");
}

/// A card that answers every command with the octet 5E.
struct Talkative(u8);

impl Card for Talkative {
    fn atr(&self) -> Vec<u8> {
        vec![0x3B, self.0]
    }
    fn reset(&mut self) -> Result<(), Lost> {
        Ok(())
    }
    fn transmit(&mut self, _: &[u8]) -> Result<zeroize::Zeroizing<Vec<u8>>, Lost> {
        Ok(zeroize::Zeroizing::new(vec![0x5E, 0x61, 0x01]))
    }
}

#[test]
fn what_one_card_is_sent_does_not_decide_what_of_another_one_is_blanked() {
    let tape = Tape::new();
    let (mut one, mut other) =
        (RecordedCard::new(Talkative(0), tape.clone()), RecordedCard::new(Talkative(0), tape.clone()));
    // To the one DECIPHER, to the other one READ BINARY; then each is asked for the rest.
    one.transmit(&[0x00, 0x2A, 0x80, 0x86, 0x01, 0x00]).unwrap();
    other.transmit(&[0x00, 0xB0, 0x00, 0x00, 0x00]).unwrap();
    one.transmit(&[0x00, 0xC0, 0x00, 0x00, 0x01]).unwrap();
    other.transmit(&[0x00, 0xC0, 0x00, 0x00, 0x01]).unwrap();
    let lines = tape.transcript().lines;
    let is_blanked = |line: &Line| if let Line::Response(octets) = line { Some(octets.has_blanks()) } else { None };
    let blanked: Vec<_> = lines.iter().filter_map(is_blanked).collect();
    assert_eq!(blanked, [true, false, true, false]);
}

#[test]
fn an_answer_to_reset_is_written_when_it_is_another_one() {
    let tape = Tape::new();
    let mut card = RecordedCard::new(Talkative(0), tape.clone());
    for other in [0, 0, 1, 1, 0] {
        card.card_mut().0 = other;
        let _ = card.atr();
        let _ = card.atr();
        card.reset().unwrap();
    }
    let expected = "atr 3B00\nreset\nreset\natr 3B01\nreset\nreset\natr 3B00\nreset\n";
    assert_eq!(tape.transcript().to_string(), format!("waxseal card transcript 1\n{expected}"));
}

#[test]
fn a_chain_that_was_refused_is_over() {
    let mut blanker = blank::Blanker::default();
    let part = |class, data: &[u8]| crate::Command::new(class, 0xDB, 0x3F, 0xFF).with_data(data).to_bytes();
    assert!(!blanker.command(&part(0x10, &[0x5E; 10])).has_blanks());
    blanker.response(&[0x6A, 0x80]);
    // A private key (ISO/IEC 7816-8), in two parts.
    assert!(blanker.command(&part(0x10, &[0x7F, 0x48, 0x11])).has_blanks());
    blanker.response(&[0x90, 0x00]);
    assert!(blanker.command(&part(0x00, &[0x22; 10])).has_blanks());
}
