"""One zone under several names: old spellings of the IANA database and the names other products use."""

from __future__ import annotations

from functools import lru_cache

#: Today's name, then the older ones it replaced (IANA time-zone database, file `backward`). Kept here and not read from
#: the installed data: fingerprints are stored, and must not change when that is updated.
_RENAMED = """
Africa/Abidjan = Iceland
Africa/Cairo = Egypt
Africa/Nairobi = Africa/Asmera
Africa/Tripoli = Libya
America/Adak = US/Aleutian America/Atka
America/Anchorage = US/Alaska
America/Argentina/Buenos_Aires = America/Buenos_Aires
America/Argentina/Catamarca = America/Catamarca America/Argentina/ComodRivadavia
America/Argentina/Cordoba = America/Cordoba America/Rosario
America/Argentina/Jujuy = America/Jujuy
America/Argentina/Mendoza = America/Mendoza
America/Chicago = US/Central
America/Denver = Navajo US/Mountain America/Shiprock
America/Detroit = US/Michigan
America/Edmonton = Canada/Mountain America/Yellowknife
America/Halifax = Canada/Atlantic
America/Havana = Cuba
America/Indiana/Indianapolis = US/East-Indiana America/Indianapolis America/Fort_Wayne
America/Indiana/Knox = US/Indiana-Starke America/Knox_IN
America/Iqaluit = America/Pangnirtung
America/Jamaica = Jamaica
America/Kentucky/Louisville = America/Louisville
America/Los_Angeles = US/Pacific
America/Manaus = Brazil/West
America/Mazatlan = Mexico/BajaSur
America/Mexico_City = Mexico/General
America/New_York = US/Eastern
America/Noronha = Brazil/DeNoronha
America/Nuuk = America/Godthab
America/Panama = America/Coral_Harbour
America/Phoenix = US/Arizona
America/Puerto_Rico = America/Virgin
America/Regina = Canada/Saskatchewan
America/Rio_Branco = Brazil/Acre America/Porto_Acre
America/Santiago = Chile/Continental
America/Sao_Paulo = Brazil/East
America/St_Johns = Canada/Newfoundland
America/Tijuana = Mexico/BajaNorte America/Ensenada America/Santa_Isabel
America/Toronto = Canada/Eastern America/Montreal America/Nipigon America/Thunder_Bay
America/Vancouver = Canada/Pacific
America/Whitehorse = Canada/Yukon
America/Winnipeg = Canada/Central America/Rainy_River
Asia/Ashgabat = Asia/Ashkhabad
Asia/Dhaka = Asia/Dacca
Asia/Ho_Chi_Minh = Asia/Saigon
Asia/Hong_Kong = Hongkong
Asia/Jerusalem = Israel Asia/Tel_Aviv
Asia/Kathmandu = Asia/Katmandu
Asia/Kolkata = Asia/Calcutta
Asia/Macau = Asia/Macao
Asia/Makassar = Asia/Ujung_Pandang
Asia/Nicosia = Europe/Nicosia
Asia/Seoul = ROK
Asia/Shanghai = PRC Asia/Chongqing Asia/Harbin Asia/Chungking
Asia/Singapore = Singapore
Asia/Taipei = ROC
Asia/Tehran = Iran
Asia/Thimphu = Asia/Thimbu
Asia/Tokyo = Japan
Asia/Ulaanbaatar = Asia/Choibalsan Asia/Ulan_Bator
Asia/Urumqi = Asia/Kashgar
Asia/Yangon = Asia/Rangoon
Atlantic/Faroe = Atlantic/Faeroe
Australia/Adelaide = Australia/South
Australia/Brisbane = Australia/Queensland
Australia/Broken_Hill = Australia/Yancowinna
Australia/Darwin = Australia/North
Australia/Hobart = Australia/Tasmania Australia/Currie
Australia/Lord_Howe = Australia/LHI
Australia/Melbourne = Australia/Victoria
Australia/Perth = Australia/West
Australia/Sydney = Australia/ACT Australia/NSW Australia/Canberra
Europe/Berlin = Atlantic/Jan_Mayen
Europe/Chisinau = Europe/Tiraspol
Europe/Dublin = Eire
Europe/Istanbul = Turkey Asia/Istanbul
Europe/Kyiv = Europe/Uzhgorod Europe/Zaporozhye Europe/Kiev
Europe/Lisbon = Portugal
Europe/London = GB GB-Eire Europe/Belfast
Europe/Moscow = W-SU
Europe/Warsaw = Poland
Pacific/Auckland = NZ Antarctica/South_Pole
Pacific/Chatham = NZ-CHAT
Pacific/Easter = Chile/EasterIsland
Pacific/Guadalcanal = Pacific/Ponape
Pacific/Honolulu = US/Hawaii Pacific/Johnston
Pacific/Kanton = Pacific/Enderbury
Pacific/Kwajalein = Kwajalein
Pacific/Pago_Pago = US/Samoa Pacific/Samoa
Pacific/Port_Moresby = Pacific/Yap Pacific/Truk
UTC = Etc/UTC Etc/UCT Etc/Universal Etc/Zulu UCT Universal Zulu Etc/GMT GMT Greenwich
UTC = Etc/Greenwich Etc/GMT+0 Etc/GMT-0 Etc/GMT0 GMT+0 GMT-0 GMT0"""

_CURRENT = {
    old: current.strip()
    for line in _RENAMED.strip().splitlines()
    for current, _, names in [line.partition("=")]
    for old in names.split()
}


@lru_cache(maxsize=4096)
def canonical_zone(name: str) -> str:
    """Return the one name under which a zone is compared: `Europe/Kiev` and `Europe/Kyiv` are the same place."""
    return _CURRENT.get(name, name)
