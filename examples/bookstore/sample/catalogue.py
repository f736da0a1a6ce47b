"""The books: ten that the shop opens with, and what the titles of later ones are made of."""

from decimal import Decimal
from random import Random
from typing import NamedTuple
from uuid import UUID

OPENING_STOCK = 50


class Book(NamedTuple):
    id: UUID
    title: str
    author: str
    price: Decimal
    description: str
    cover_url: str
    isbn: str
    genre: str
    published_year: int


# title, author, price, genre, year, what the shop says
_OPENING = (
    ("The Patient Query", "Ines Halloran", "39.99", "Technology", 2019, "How to ask a database for much and wait for little."),
    ("Logs Before Breakfast", "Tobias Renn", "44.99", "Technology", 2021, "A year on call, told by the one who slept least."),
    ("A Harbour in Winter", "Maud Okafor", "41.50", "Fiction", 2016, "Three siblings, one lighthouse, no ferry until March."),
    ("Salt and Signal", "Maud Okafor", "47.00", "Fiction", 2022, "The radio answers, though the ship sank long ago."),
    ("The Arithmetic of Rivers", "Jonas Vidal", "59.95", "Science", 2018, "Why water meanders, and what that does to maps."),
    ("Small Engines of the Cell", "Priya Castellan", "64.99", "Science", 2023, "The machines that carry, cut and copy inside us."),
    ("Bread for a Hundred", "Ottoline Marsh", "49.99", "Cooking", 2015, "Baking for weddings, strikes and Sunday mornings."),
    ("The Cartographer's Debt", "Jonas Vidal", "52.50", "History", 2012, "How one wrong coastline ruined two kingdoms."),
    ("Streets That Remember", "Leopold Anand", "56.00", "History", 2020, "A city told through the names it took down."),
    ("Distributed and Dependable", "Ines Halloran", "69.99", "Technology", 2024, "What to promise when machines fail, and how to keep it."),
)  # fmt: skip
_FIRST = ("Quiet", "Borrowed", "Northern", "Second", "Paper", "Unlikely", "Hidden", "Last", "Copper", "Wandering")
_SECOND = ("Garden", "Compiler", "Voyage", "Kitchen", "Republic", "Theorem", "Orchard", "Winter", "Ledger", "Observatory")
_AUTHORS = ("Ines Halloran", "Maud Okafor", "Jonas Vidal", "Sunniva Dahl", "Rafael Quist", "Amara Lindqvist", "Tobias Renn")
_GENRES = ("Technology", "Fiction", "Science", "Cooking", "History", "Travel", "Poetry")


def opening_books() -> list[Book]:
    """The ten books of the first day; their identities never change."""
    return [
        _book(UUID(int=number), title, author, Decimal(price), said, genre, year)
        for number, (title, author, price, genre, year, said) in zip(_fixed_numbers(), _OPENING, strict=True)
    ]


def new_book(rng: Random, year: int) -> Book:
    """A book that the shop adds later, at any price."""
    first, second = rng.choice(_FIRST), rng.choice(_SECOND)
    price = Decimal(rng.randint(4, 79)) + Decimal("0.99")
    author, genre = rng.choice(_AUTHORS), rng.choice(_GENRES)
    said = f"A new title in {genre.lower()} by {author}."
    return _book(UUID(int=rng.getrandbits(128), version=4), f"The {first} {second}", author, price, said, genre, year)


def _fixed_numbers() -> list[int]:
    # …0001 to …0010 as they are read, so the tenth is hexadecimal 10.
    return [int(f"{number:04}", 16) for number in range(1, 11)]


def _book(identity: UUID, title: str, author: str, price: Decimal, said: str, genre: str, year: int) -> Book:
    number = f"979{identity.int % 10**9:09}"
    check = -sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(number)) % 10
    cover = f"https://covers.bookstore.example/{identity}.jpg"
    return Book(identity, title, author, price, said, cover, f"{number}{check}", genre, year)
