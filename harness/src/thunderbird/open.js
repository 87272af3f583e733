// Opens the file of a mail in a window and reads what the window shows.
// Arguments: the path.
const [path] = arguments;
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
if (!MailServices.accounts.accounts.length) {
  MailServices.accounts.createLocalMailAccount();
}
const file = Cc["@mozilla.org/file/local;1"].createInstance(Ci.nsIFile);
file.initWithPath(path);
const main = Services.wm.getMostRecentWindow("mail:3pane");
const pause = milliseconds => new Promise(resolve => main.setTimeout(resolve, milliseconds));
const until = async (what, times) => {
  for (let time = 0; time < times; time++) {
    if (what()) {
      return true;
    }
    await pause(25);
  }
  return false;
};
const url = Services.io.newFileURI(file).mutate().setQuery("type=application/x-message-display").finalize();
const features = "all,chrome,dialog=no,status,toolbar";
const window = main.openDialog("chrome://messenger/content/messageWindow.xhtml", "_blank", features, url);
try {
  const inner = () => window.messageBrowser?.contentWindow;
  const isReady = () =>
    inner()?.document.documentURI == "about:message" && inner().document.readyState == "complete";
  if (!(await until(isReady, 400))) {
    throw new Error("the window of the message did not open");
  }
  const message = inner();
  if (!(await until(() => message.msgLoaded, 1200))) {
    throw new Error("the message was not loaded");
  }
  // A mail that nothing protects has no such end; it is waited for as long as a
  // verification takes. One mail inside another is read a second time.
  const state = () =>
    [message.gSmimeProcessedDispatched, message.gSignatureStatus, message.gEncryptionStatus].join();
  let [seen, times] = [state(), 0];
  await until(() => {
    times = state() == seen ? times + 1 : 0;
    seen = state();
    return times >= (message.gSmimeProcessedDispatched ? 20 : 120);
  }, 1200);
  const names = Object.keys(Ci.nsICMSMessageErrors);
  const name = value =>
    value == -1 ? null : (names.find(one => Ci.nsICMSMessageErrors[one] === value) ?? String(value));
  return {
    signature: name(message.gSignatureStatus),
    encryption: name(message.gEncryptionStatus),
    signer: message.gSignerCert?.subjectName ?? null,
    body: message.getMessagePaneBrowser().contentDocument?.body?.innerText ?? null,
  };
} finally {
  window.close();
}
