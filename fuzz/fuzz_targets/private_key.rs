#![no_main]

waxseal_fuzz::target!(private_key);
