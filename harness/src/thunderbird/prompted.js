// What was asked since the last time.
const asked = JSON.parse(Services.prefs.getStringPref("waxseal.prompts", "[]"));
Services.prefs.setStringPref("waxseal.prompts", "[]");
return asked;
