#![no_main]

waxseal_fuzz::target!(timestamp);
