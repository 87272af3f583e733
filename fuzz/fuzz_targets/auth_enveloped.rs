#![no_main]

waxseal_fuzz::target!(auth_enveloped);
