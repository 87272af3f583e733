#![no_main]

waxseal_fuzz::target!(card::card);
