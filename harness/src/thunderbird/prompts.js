// The PIN is given by a stand-in for the factory of all prompts, and what was
// asked is remembered. Arguments: the PIN.
const [pin] = arguments;
const told = "waxseal.prompts";
const note = (...texts) => {
  const before = JSON.parse(Services.prefs.getStringPref(told, "[]"));
  Services.prefs.setStringPref(told, JSON.stringify([...before, texts.join(": ")]));
};
Services.prefs.setStringPref(told, "[]");
const prompt = {
  QueryInterface: ChromeUtils.generateQI(["nsIPrompt"]),
  promptPassword(title, text, password) {
    note("password", text);
    password.value = Services.prefs.getStringPref("waxseal.pin");
    return true;
  },
  alert(title, text) {
    note("alert", text);
  },
  confirm(title, text) {
    note("confirm", text);
    return true;
  },
};
// The same with the window in front of the other arguments.
const service = {
  QueryInterface: ChromeUtils.generateQI(["nsIPromptService", "nsIPromptFactory"]),
  getPrompt: (window, id) => prompt.QueryInterface(id),
  promptPassword: (window, ...rest) => prompt.promptPassword(...rest),
  alert: (window, ...rest) => prompt.alert(...rest),
  confirm: (window, ...rest) => prompt.confirm(...rest),
  confirmEx(window, title, text) {
    note("confirm", text);
    return 0;
  },
};
Services.prefs.setStringPref("waxseal.pin", pin);
if (!Services.prefs.getBoolPref("waxseal.stands-in", false)) {
  const factory = {
    QueryInterface: ChromeUtils.generateQI(["nsIFactory"]),
    createInstance: id => service.QueryInterface(id),
  };
  const registrar = Components.manager.QueryInterface(Ci.nsIComponentRegistrar);
  const id = Components.ID("{7f0fba6c-6c4a-4a4e-9f0f-3d1f7b3c1f52}");
  registrar.registerFactory(id, "waxseal", "@mozilla.org/prompter;1", factory);
  // Whoever has asked for the service before keeps it.
  Services.prompt = service;
  Services.prefs.setBoolPref("waxseal.stands-in", true);
}
return null;
