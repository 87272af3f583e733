// Opens the file of a mail in a window and reads what the window shows. The
// window stays for the next mail. Arguments: the path.
const [path] = arguments;
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
if (!MailServices.accounts.accounts.length) {
  MailServices.accounts.createLocalMailAccount();
}
const file = Cc["@mozilla.org/file/local;1"].createInstance(Ci.nsIFile);
file.initWithPath(path);
const main = Services.wm.getMostRecentWindow("mail:3pane");
const pause = milliseconds => new Promise(resolve => main.setTimeout(resolve, milliseconds));
const until = async (what, milliseconds = 20_000) => {
  const end = ChromeUtils.now() + milliseconds;
  while (ChromeUtils.now() < end) {
    if (what()) {
      return true;
    }
    await pause(5);
  }
  return false;
};
const urlOf = file => Services.io.newFileURI(file).mutate().setQuery("type=application/x-message-display").finalize();
const url = urlOf(file);
const inner = window => window.messageBrowser?.contentWindow;
let window = Services.wm.getMostRecentWindow("mail:messageWindow");
// A mail in which there is nothing to report; it is over when its words are there.
const words = "This window is ready for mail.";
const plain = Services.dirsvc.get("ProfD", Ci.nsIFile);
plain.append("ready.eml");
const ready = urlOf(plain);
const isReady = () => {
  const shown = inner(window);
  return (
    shown?.gMessageURI == ready.spec &&
    shown.gSmimeMsgLoadedFired &&
    shown.getMessagePaneBrowser().contentDocument?.body?.innerText.includes(words)
  );
};
if (!window) {
  // A new window reports an empty page as a loaded message, and goes on to read
  // the mail that it was opened with.
  await IOUtils.writeUTF8(plain.path, `From: ready@example.test\r\nSubject: ready\r\n\r\n${words}\r\n`);
  const features = "all,chrome,dialog=no,status,toolbar";
  window = main.openDialog("chrome://messenger/content/messageWindow.xhtml", "_blank", features, ready);
  if (!(await until(isReady))) {
    throw new Error("the window of the message did not open");
  }
}
const message = inner(window);
if (!message.waxsealTold) {
  // The window shows one status of each kind; what it is told names the part, too.
  const listen = (name, take) => {
    const own = message.smimeSink[name];
    message.smimeSink[name] = function (...given) {
      message.waxsealTold.push(take(...given));
      return own.apply(this, given);
    };
  };
  listen("signedStatus", (level, status, signer, url, part) => ({ what: "signed", level, part, status }));
  listen("encryptionStatus", (level, status, recipient, url, part) => ({ what: "encrypted", level, part, status }));
  listen("ignoreStatusFrom", part => ({ what: "ignored", level: 0, part, status: -1 }));
  listen("resetSignedStatus", () => ({ what: "unsigned", level: 0, part: "", status: -1 }));
}
// What the last mail left is not taken for this one's: all of it is set when the
// header of this one comes, and the count is never negative then. All but one:
// 153 goes on to ignore the part that it ignored in the last mail, and then shows
// no status at all for most mails that come after it.
message.waxsealTold = [];
message.gIgnoreStatusFromMimePart = null;
message.onSMIMEStartHeaders();
message.gExpectedSignatureCount = -1;
const pane = () => message.getMessagePaneBrowser();
message.displayMessage(url.spec);
// A mail that cannot be decrypted is replaced by a page that says so, and is
// never loaded. A signature is announced while the mail is read, and its
// verification comes later.
const hasFailed = () => ![-1, Ci.nsICMSMessageErrors.SUCCESS].includes(message.gEncryptionStatus);
const isThrough = () =>
  message.gExpectedSignatureCount >= 0 &&
  (message.gSmimeMsgLoadedFired || hasFailed()) &&
  message.gReceivedSignatureCount >= message.gExpectedSignatureCount;
// Twice with a pause between: the end of an empty page can be taken for it, too.
const isOver = (await until(isThrough)) && (await pause(40), await until(isThrough));
const names = Object.keys(Ci.nsICMSMessageErrors);
const name = value =>
  value == -1 ? null : (names.find(one => Ci.nsICMSMessageErrors[one] === value) ?? String(value));
const body = hasFailed() ? null : pane().contentDocument?.body;
const shown = {
  signature: name(message.gSignatureStatus),
  encryption: name(message.gEncryptionStatus),
  signer: message.gSignerCert?.subjectName ?? null,
  body: body?.innerText ?? null,
  told: message.waxsealTold.map(one => ({ ...one, status: name(one.status) })),
};
if (hasFailed()) {
  // The page that says so would be taken for the next mail if it came later.
  message.displayMessage(ready.spec);
  if (!(await until(isReady, 2_000))) {
    window.close();
  }
}
if (!isOver) {
  window.close();
  throw new Error(`the message was not loaded: ${JSON.stringify(shown)}`);
}
return shown;
