#![no_main]

waxseal_fuzz::target!(pkcs12);
