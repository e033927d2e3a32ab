"""Six words of a digest, for two people to compare over the telephone.

Each word encodes one byte, so six words encode 48 of the digest's 256 bits: enough to
notice that two people are looking at different claims, not enough to prove that they are
looking at the same one. The digest decides; the words only help to read it.
"""

from typing import Final

from tallystick.domain.ids import Digest

COUNT: Final = 6
"""How many words are shown."""

# The order is part of what people compare: never change it.
WORDS: Final = tuple(
    """
    acorn actor agate alarm album alder amber anchor angle apple apron arrow aspen atlas attic autumn
    badge badger bagel baker balcony bamboo banjo barley barrel basil basket beacon beaver bell berry
    birch bishop bison blanket bonfire border bottle bridge bronze bucket bugle butter button cabin
    cactus camel candle canoe canyon carbon carpet castle cedar cellar cherry chimney cider cinema
    circle citrus clover cobalt cobra coffee comet copper coral cotton cradle crater cricket crown
    crystal curtain cypress daisy dancer desert diamond dolphin donkey dragon drum dune eagle easel echo
    elbow ember engine falcon feather fennel ferret ferry fiddle finger flagon flint flute forest fossil
    fountain galaxy garden garlic gazelle ginger glacier goblet gondola gopher granite grape guitar
    hammer hammock harbor hazel helmet heron hickory honey horizon iceberg indigo island ivory jacket
    jaguar jasmine jigsaw jungle juniper kayak kennel kettle kitchen kiwi ladder lagoon lantern laurel
    lemon lentil library lilac linen lion lizard lobster locket lotus magnet mango maple marble marsh
    meadow melon meteor mirror monkey mosaic muffin mustard napkin nectar needle nettle nickel nugget
    nutmeg oasis ocean olive onion orange orchid otter oyster paddle pagoda palace panda paper parrot
    pebble pelican pencil pepper piano pigeon pillow pirate planet plum pocket pollen poplar potato
    prairie puffin pumpkin puzzle quarry quartz rabbit radish raven reef ribbon river robin rocket
    rubber saddle saffron salmon sandal sapphire scarf seal shadow silver siren spider spruce squid
    summit sunset swan tablet teapot temple thistle thunder tiger timber tomato trumpet tulip tunnel
    turtle umbrella valley vanilla velvet violin walnut walrus willow window winter zebra
    """.split()  # noqa: SIM905 - a list of 256 lines would hide the words
)
"""One word a byte."""

assert len(set(WORDS)) == 256  # noqa: PLR2004 - one word for each value of a byte


def six_words(digest: Digest) -> tuple[str, ...]:
    """Return the words of the first six bytes of `digest`."""
    raw = bytes.fromhex(digest.removeprefix("sha256:"))
    return tuple(WORDS[byte] for byte in raw[:COUNT])
