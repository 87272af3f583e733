//! A profile: a folder with a certificate database (NSS) and settings.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Settings, `name, value`: nothing is asked, fetched or sent by itself.
const SETTINGS: &[(&str, &str)] = &[
    ("app.donation.eoy.version", "999"),
    ("app.update.enabled", "false"),
    ("datareporting.policy.dataSubmissionEnabled", "false"),
    ("extensions.update.enabled", "false"),
    ("mail.provider.suppress_dialog_on_startup", "true"),
    ("mail.rights.version", "1"),
    ("mail.shell.checkDefaultClient", "false"),
    ("mail.winsearch.firstRunDone", "true"),
    ("mailnews.start_page.enabled", "false"),
    ("network.captive-portal-service.enabled", "false"),
    ("network.connectivity-service.enabled", "false"),
    // Any free port; the program writes it into the profile.
    ("marionette.port", "0"),
    ("security.OCSP.enabled", "0"),
];

/// A profile of Thunderbird in a folder of its own.
#[derive(Debug)]
pub struct Profile {
    folder: PathBuf,
}

impl Profile {
    /// Makes a profile without certificates in an empty folder; its database has
    /// no password.
    ///
    /// # Errors
    /// The folder cannot be written, or `certutil` (NSS) is not there or fails.
    pub fn create(folder: &Path) -> io::Result<Self> {
        let profile = Self { folder: folder.to_owned() };
        let settings = SETTINGS.iter().map(|(name, value)| format!("user_pref({name:?}, {value});\n"));
        std::fs::write(folder.join("user.js"), settings.collect::<String>())?;
        profile.tool("certutil", &["-N", "--empty-password"], &[])?;
        Ok(profile)
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds an authority (PEM or DER) that is trusted for mail.
    ///
    /// # Errors
    /// `certutil` does not take it.
    pub fn trust(&self, name: &str, certificate: &Path) -> io::Result<()> {
        self.tool("certutil", &["-A", "-n", name, "-t", ",C,"], &["-i".as_ref(), certificate.as_ref()])
    }

    /// Adds a certificate, of an authority or a correspondent, that is worth what
    /// its issuer is.
    ///
    /// # Errors
    /// `certutil` does not take it.
    pub fn add_certificate(&self, name: &str, certificate: &Path) -> io::Result<()> {
        self.tool("certutil", &["-A", "-n", name, "-t", ",,"], &["-i".as_ref(), certificate.as_ref()])
    }

    /// Adds a PKCS #11 module: the way to a card.
    ///
    /// # Errors
    /// `modutil` does not take it.
    pub fn add_module(&self, name: &str, library: &Path) -> io::Result<()> {
        self.tool("modutil", &["-force", "-add", name], &["-libfile".as_ref(), library.as_ref()])
    }

    /// One of the tools of NSS on the database of this profile.
    fn tool(&self, name: &str, arguments: &[&str], paths: &[&OsStr]) -> io::Result<()> {
        let database = format!("sql:{}", self.folder.display());
        let option = if name == "modutil" { "-dbdir" } else { "-d" };
        let mut command = Command::new(name);
        command.args(arguments).args([option, &database]).args(paths);
        // modutil leaves a file where it is started.
        let said = command.current_dir(&self.folder).stdin(Stdio::null()).output();
        let said = said.map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
        if said.status.success() {
            return Ok(());
        }
        let why = String::from_utf8_lossy(&said.stderr).trim().to_owned();
        Err(io::Error::other(format!("{name} {}: {why}", arguments.join(" "))))
    }
}
