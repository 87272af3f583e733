#![no_main]

waxseal_fuzz::target!(other_cms);
