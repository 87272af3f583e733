//! What runs in the servers' place: starts them, carries every mail, and ends.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use waxseal_model::{Route, SubmitBy};

use super::client::{Client, Trouble};
use super::server::Server;
use super::{DELIVERIES, Delivery, Fate, JOB, Job, arrived, dovecot, mail, postfix, private};
use crate::confine;

/// The directory of the servers: `/run` is empty here, and vanishes with the place.
const OWN: &str = "/run/waxseal";
/// How long a mail that was taken may need until it is in its mailbox.
const PATIENCE: Duration = Duration::from_secs(15);

/// Carries what the job of a directory says, and leaves there what came of it.
///
/// # Errors
/// This is not such a place, or the directory cannot be used. What goes wrong
/// with servers and mails is in what it leaves.
pub fn serve(dir: &Path) -> Result<(), String> {
    let confined = confine::is_confined().map_err(|error| error.to_string())?;
    if !confined {
        return Err("servers are started only where there is no network but loopback".to_owned());
    }
    let failed = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let path = dir.join(JOB);
    let text = fs::read(&path).map_err(|error| failed(&path, &error))?;
    let job: Job = serde_json::from_slice(&text).map_err(|error| failed(&path, &error))?;
    let office = Office::open(&job, dir)?;
    let deliveries = office.carry();
    let path = dir.join(DELIVERIES);
    let text = serde_json::to_vec(&deliveries).map_err(|error| error.to_string())?;
    fs::write(&path, text).map_err(|error| failed(&path, &error))
}

struct Office<'a> {
    job: &'a Job,
    dir: &'a Path,
    client: Result<Client, String>,
    dovecot: Result<Server, String>,
    postfix: Result<Server, String>,
}

impl<'a> Office<'a> {
    fn open(job: &'a Job, dir: &'a Path) -> Result<Self, String> {
        let own = Path::new(OWN);
        let failed = |error: std::io::Error| format!("{OWN}: {error}");
        fs::create_dir(own).map_err(failed)?;
        let trusted = own.join("trusted.pem");
        fs::write(&trusted, &job.trusted).map_err(failed)?;
        fs::write(own.join("certificate.pem"), &job.certificate).map_err(failed)?;
        private(&own.join("key.pem"), job.key.as_bytes()).map_err(failed)?;
        let smtp = job.routes.iter().any(|route| route.submit.by == SubmitBy::Smtp);
        let (dovecot, postfix) = std::thread::scope(|scope| {
            let postfix = scope.spawn(|| match smtp {
                true => postfix::start(own, job.size_limit),
                false => Err("no route needs it".to_owned()),
            });
            let dovecot = dovecot::start(own);
            (dovecot, postfix.join().unwrap_or_else(|_| Err("a panic".to_owned())))
        });
        Ok(Self { job, dir, client: Client::new(trusted), dovecot, postfix })
    }

    /// Every route with its mails, some routes at once.
    fn carry(&self) -> Vec<Delivery> {
        let next = AtomicUsize::new(0);
        let all = Mutex::new(Vec::new());
        let workers = std::thread::available_parallelism().map_or(2, usize::from).max(2);
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some(route) = self.job.routes.get(number) else { break };
                        let deliveries = self.route(number, route);
                        all.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(deliveries);
                    }
                });
            }
        });
        all.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Why a route cannot be gone, or who goes it.
    fn client(&self, route: &Route) -> Result<&Client, String> {
        self.dovecot.as_ref().map_err(|why| format!("dovecot: {why}"))?;
        if route.submit.by == SubmitBy::Smtp {
            self.postfix.as_ref().map_err(|why| format!("postfix: {why}"))?;
        }
        self.client.as_ref().map_err(Clone::clone)
    }

    /// Gives all mails to the first server, then takes them from the last one.
    fn route(&self, number: usize, route: &Route) -> Vec<Delivery> {
        let mails = self.job.mails.iter().enumerate().filter(|(_, routes)| routes.contains(&number));
        let sent: Vec<_> = mails
            .map(|(mail_number, _)| {
                let start = Instant::now();
                let mailbox = format!("r{number}m{mail_number}");
                let sent = self.client(route).map_err(Fate::NotAvailable).and_then(|client| {
                    let sent = client.submit(&route.submit, &mailbox, &mail(self.dir, mail_number));
                    sent.map(|()| client).map_err(|trouble| match trouble {
                        Trouble::Refused(why) => Fate::Refused(why),
                        Trouble::Failed(why) => Fate::Lost(why),
                    })
                });
                (mail_number, mailbox, start, sent)
            })
            .collect();
        let deliver = |(mail_number, mailbox, start, sent): (usize, String, Instant, Result<&Client, Fate>)| {
            let fetched = sent.and_then(|client| {
                // APPEND has put it where it stays.
                if route.submit.by == SubmitBy::Smtp {
                    self.wait_for(&mailbox)?;
                }
                let out = arrived(self.dir, number, mail_number);
                client.fetch(&route.fetch, &mailbox, &out).map_err(|trouble| match trouble {
                    Trouble::Refused(why) | Trouble::Failed(why) => Fate::Lost(format!("it cannot be fetched: {why}")),
                })
            });
            let ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
            let fate = fetched.map_or_else(|fate| fate, |()| Fate::Arrived);
            Delivery { route: number, mail: mail_number, fate, ms }
        };
        sent.into_iter().map(deliver).collect()
    }

    fn wait_for(&self, mailbox: &str) -> Result<(), Fate> {
        let place = dovecot::new_mail(Path::new(OWN), mailbox);
        let end = Instant::now() + PATIENCE;
        while !fs::read_dir(&place).is_ok_and(|mut files| files.next().is_some()) {
            if Instant::now() > end {
                let said = self.postfix.as_ref().map(Server::said).unwrap_or_default();
                return Err(Fate::Lost(format!("not in its mailbox after {} s: {said}", PATIENCE.as_secs())));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}
