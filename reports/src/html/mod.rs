//! The report as one page: summary, matrix cases × SUTs, one part a case.
//!
//! The page holds its style and script and fetches nothing; without the script
//! it is a plain table with plain parts. Text of a case or a SUT is escaped by
//! construction, so a hostile mail cannot reach the reader of a report.

mod case;
mod clients;
mod dialects;
mod marks;
mod matrix;
mod overview;
mod round_trips;
mod transport;

use maud::{DOCTYPE, PreEscaped, html};
use waxseal_model::Transport;

use crate::grid::Grid;
use crate::privacy::Privacy;
use crate::round_trip::RoundTrips;
use crate::transport::Ways;
use crate::{CaseText, Known, Run, Summary};

/// What the reader of the report asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Print addresses, subjects and native error texts of recorded mails too.
    /// Without it they appear by id and hash.
    pub include_private: bool,
    /// What the letters and ways of transport are; without it they appear by their names.
    pub transport: Option<Transport>,
}

/// Draws a run as one self-contained HTML page.
///
/// Cases of the run that have no text in `cases` appear by their id; texts of
/// cases that are not in the run are left out. `known` is what is told of clients
/// that took no part.
#[must_use]
pub fn render(run: &Run, cases: &[CaseText], known: &Known, options: &Options) -> String {
    let grid = Grid::of_cases(run, cases);
    let trips = RoundTrips::of(run, cases);
    let clients = known.columns(&trips);
    let summary = Summary::of(run, cases, known);
    let privacy = Privacy { include: options.include_private };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // The page needs nothing from outside, and says so to the browser.
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
                title { "Waxseal report " (summary.run) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                (overview::draw(run, &summary, options))
                (round_trips::draw(&trips, &clients, known, privacy))
                (transport::draw(&Ways::of(run), options.transport.as_ref()))
                (dialects::draw(&grid))
                (matrix::draw(&grid, privacy))
                (case::draw(&grid, privacy))
                footer { "Written by Waxseal " (summary.waxseal) " from run " code { (summary.run) } "." }
                script { (PreEscaped(include_str!("script.js"))) }
            }
        }
    };
    page.into_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::small;

    fn page(options: &Options) -> String {
        let (run, cases) = small();
        let page = render(&run, &cases, &Known::default(), options);
        let body = page.split_once("</style></head>").unwrap().1;
        // One element a line makes the snapshot readable, and a change in it small.
        body.split_once("<script>").unwrap().0.replace("><", ">\n<")
    }

    #[test]
    fn a_small_run() {
        insta::assert_snapshot!(page(&Options::default()));
    }

    /// Of what did not run there are words with their knowledge and source, and no outcome.
    #[test]
    fn a_client_that_did_not_run_is_told_of_and_not_judged() {
        let run =
            crate::testing::written(&[("openssl", "encrypted.rsa.aes-256-gcm.small"), ("openssl", "clear.sm2.small")]);
        let corpus = waxseal_model::Corpus::embedded().unwrap();
        let known = Known::of(&corpus, &waxseal_model::Shapes::embedded().unwrap());
        let page = render(&run, &[], &known, &Options::default());
        let row = page.split_once("<th scope=\"row\">openssl</th><td class=\"number\">2</td>").unwrap().1;
        let row = row.split_once("</tr>").unwrap().0;
        let cell = |title: &str| {
            let cell = row.split("<td class=\"known\"").find(|cell| cell.contains(&format!("→ {title},"))).unwrap();
            cell.split_once('>').map(|(tooltip, text)| (tooltip.to_owned(), text.to_owned())).unwrap()
        };
        let (tooltip, text) = cell("Outlook for Windows");
        assert_eq!(text, "<div>1 no, documented</div><div>1 unknown</div></td>");
        assert!(tooltip.contains("aes-256-gcm (2025, github.com/jstedfast/MimeKit/issues/1149)"), "{tooltip}");
        let (_, text) = cell("iPhone or iPad Mail");
        assert_eq!(text, "<div>1 no, documented</div><div>1 unknown</div></td>");
        // openssl took part: what it said counts, and not what is written of it.
        assert!(!page.contains("→ OpenSSL,"));
        // Every cell says something.
        assert!(!row.contains("<td class=\"known\"></td>"));
    }

    #[test]
    fn hostile_text_is_escaped() {
        let page = page(&Options { include_private: true, ..Options::default() });
        assert!(!page.contains("<script>alert"));
        assert!(page.contains("&lt;script&gt;alert('alice@example.test')&lt;/script&gt; &amp; more"), "{page}");
    }

    #[test]
    fn a_recorded_mail_shows_no_address() {
        assert!(page(&Options { include_private: true, ..Options::default() }).contains("alice@example.test"));
        assert!(!page(&Options::default()).contains("alice"));
    }

    #[test]
    fn nothing_is_fetched() {
        let (run, cases) = small();
        let page = render(&run, &cases, &Known::default(), &Options::default());
        for way in ["http://", "https://", "src=\"", "<link", "@import", "url("] {
            assert!(!page.contains(way), "{way}");
        }
    }

    #[test]
    fn the_same_run_gives_the_same_bytes() {
        let (run, cases) = small();
        assert_eq!(
            render(&run, &cases, &Known::default(), &Options::default()),
            render(&run, &cases, &Known::default(), &Options::default())
        );
    }

    #[test]
    fn a_thousand_cases_on_twenty_suts_stay_a_small_page() {
        let run = crate::testing::large(1_000, 20);
        let page = render(&run, &[], &Known::default(), &Options::default());
        assert_eq!(run.outcomes().len(), 20_000);
        // Most of it is one cell an outcome and one part a case.
        assert!(page.len() < 2 << 20, "{} bytes", page.len());
    }
}
