"""List names that are met often: of people, as the statistics offices count them, and of countries and large cities.

Given names: the most frequent ones of the United States (Social Security Administration), the United Kingdom (Office
for National Statistics), Germany, Austria and Switzerland, France (INSEE), Spain (INE), Italy (ISTAT), Portugal and Brazil, the
Netherlands, Poland, Czechia, the Nordic countries, Turkey, India, and Arabic, Russian and Japanese ones as they are
written in Latin letters. Countries: ISO 3166-1, in English, German, French, Spanish and Italian. Cities: those of more
than a million people, and capitals.
"""

from __future__ import annotations

_GIVEN = """
Aaron Abdul Abdullah Abigail Ada Adam Adele Adrian Adriana Adrien Agata Agnes Agnieszka Ahmed Aidan Aiden Aisha Aitor
Akira Alan Alba Albert Alberto Alejandra Alejandro Aleksandra Alena Alessandra Alessandro Alessia Alex Alexander
Alexandra Alexandre Alexis Alfonso Alfred Alfredo Ali Alice Alicia Alina Alison Allen Allison Alma Alyssa Amanda Amber
Amelia Amélie Amina Amir Amy Ana Anastasia Anders Andrea Andreas Andrei André Andrés Andrew Andrzej Ángel Angela Angelica
Angelina Angelo Anita Anja Anjali Ann Anna Annabelle Anne Annette Annie Annika Anthony Antje Antoine Antonella Antonia
Antonio António Antti Anya Arjun Arlene Arne Arnold Arthur Arturo Arun Asher Ashley Astrid Athena Audrey Aurélie Ava
Ayşe Barbara Beatrice Beatriz Ben Benedikt Benjamin Bernard Bernd Bertha Beth Bethany Betty Beverly Bianca Bill Billy
Birgit Björn Blake Bob Bobby Bożena Bradley Brandi Brandon Brenda Brendan Brent Brett Brian Brianna Bridget Brigitte Brittany Bruce Bruno
Bryan Caitlin Caleb Cameron Camila Camilla Camille Candice Carina Carl Carla Carlo Carlos Carlotta Carmela Carmen Carol
Carolina Caroline Carolyn Carrie Casey Caspar Cassandra Catalina Catarina Catherine Cathy Cecilia Cecília Céline Cesar
César Chad Chantal Charlene Charles Charlie Chelsea Cheryl Chiara Chloe Chloé Christa Christian Christiane Christina
Christine Christoph Christophe Christopher Cindy Claire Clara Clarence Claude Claudia Claudio Claus Clément Clotilde Cody Colette Colin
Connie Connor Constance Corinna Corinne Cornelia Courtney Craig Cristian Cristiano Cristina Crystal Curtis Cynthia
Cyril Dagmar Daisy Dale Damian Damon Dan Dana Daniel Daniela Daniele Danielle Danny Dario Darlene Darren Darryl Dave
David Davide Debbie Deborah Debra Declan Deepak Delphine Denis Denise Dennis Derek Devon Dhruv Diana Diane Diego Dieter
Dietmar Dilip Dimitri Dirk Dmitri Dolores Dominic Dominik Dominique Don Donald Donna Dora Doris Dorothy Doug Douglas
Duncan Dustin Dylan Ebony Eddie Edgar Edith Edna Eduard Eduardo Edward Edwin Eileen Elaine Eleanor Elena Elias Elif
Elijah Elisa Elisabeth Élise Elizabeth Ella Ellen Ellie Elliot Elsa Elsie Elvira Emil Emilia Emiliano Emilie Emily Emma
Emmanuel Emmanuelle Emre Enrico Enrique Eric Erica Erich Erik Erika Erin Ernest Ernesto Ernst Esteban Estelle Esther
Ethan Ethel Étienne Eugene Eugenia Eva Evan Evelyn Ewa Fabian Fabien Fabio Fabrice Fatima Fatma Federica Federico
Felicia Félix Felix Ferdinand Fernanda Fernando Filip Filippo Finn Fiona Florian Frances Francesca Francesco Francine
Francis Francisco Franck François Françoise Frank Franz Fred Freddie Frederic Frédéric Frederick Fredrik Frida Friedrich
Fritz Gabriel Gabriela Gabriele Gabriella Gabrielle Gail Gareth Gary Gavin Geoffrey Georg George Georgina Gerald Gerard Gérard
Gerd Gerhard Gertrude Giacomo Gianluca Gilbert Gina Giorgia Giorgio Giovanna Giovanni Gisela Giulia Giuseppe Gladys
Glenn Gloria Gonzalo Gordon Graham Greg Gregor Gregory Greta Guido Guillaume Guillermo Gunther Günter Gustav Guy Gwendolyn Hanna
Hannah Hannes Hans Harald Harold Harriet Harry Harvey Hassan Hazel Heather Hector Heidi Heike Heiko Heinrich Heinz
Helen Helena Helene Hélène Helga Helmut Henri Henrik Henry Herbert Herman Hermann Hilda Hiroshi Holger Holly Horst
Howard Hubert Hugo Ian Ibrahim Ida Ignacio Igor Ilona Ingeborg Ingo Ingrid Inés Irene Irina Iris Irma Isaac Isabel
Isabella Isabelle Isaiah Ismail Ivan Ivana Ivo Jack Jackie Jacob Jacqueline Jacques Jade Jaime Jake Jakob Jakub James
Jamie Jan Jana Jane Janet Janice Janine Jaroslav Jasmin Jasmine Jason Javier Jay Jean Jeanette Jeanne Jeff Jeffrey Jennifer
Jenny Jens Jeremy Jérôme Jerome Jerry Jerzy Jesse Jessica Jesús Jill Jim Jimmy Joachim Joan Joana Joanna Joanne
João Joaquín Jochen Jodie Joe Joel Johan Johanna Johannes John Johnny Jon Jonas Jonathan Joost Jordi Jorge Jörg José Josef
Joseph Josephine Joshua Joyce Juan Juana Juanita Judith Judy Julia Julian Juliana Julie Julien Juliette Julio Jürgen
Justin Justine Justyna Jutta Kacper Kai Karen Karim Karin Karina Karl Karla Karolina Katarina Katarzyna Kate Katharina Katherine Kathleen
Kathrin Kathryn Kathy Katia Katie Katja Katrin Kayla Kaylee Keiko Keith Kelly Kelvin Ken Kendra Kenneth Kenji Kerry Kerstin Kevin Khadija Kieran Kim
Kimberly Klaus Konrad Krista Kristen Kristian Kristin Kristina Kristoffer Krystyna Krzysztof Kurt Kyle Lara Larry Lars Laszlo Laura Lauren
Laurence Laurent Lea Léa Leah Lena Leo León Leon Leonard Leonardo Leonie Leroy Leslie Leticia Liam Lidia Lilian Lilly Lily Linda
Lindsay Lionel Lisa Logan Lola Lorena Lorenzo Loretta Lori Lorraine Louis Louisa Louise Lourdes Luc Luca Lucas Lucia
Lucía Luciano Lucie Lucille Lucy Ludovic Ludwig Luigi Luis Luisa Luiz Lukas Łukasz Lydia Lynn Mackenzie Maddie Madeleine
Magdalena Maja Malgorzata Małgorzata Manfred Manon Manuel Manuela Marc Marcel Marcela Marcello Marcia Marcin Marco Marcos Marcus
Margaret Margarita Margherita Margot Marguerite Maria María Marian Mariana Marianne Marie Marilyn Marina Mario Marion
Marius Marjorie Markus Marlene Marta Martha Martin Martina Martine Marvin Mary Maryam Mateo Mateusz Mathieu Mathilde Matilda Matt
Matteo Matthew Matthias Matthieu Maureen Maurice Maurizio Max Maxim Maxime Maximilian Maya Megan Mehmet Melanie Melinda Melissa
Mercedes Meredith Mia Micah Michael Michal Michał Michel Michela Michele Michelle Miguel Mikael Mikhail Milena Milo Miriam Mirko Mitchell
Mohamed Mohammad Mohammed Moira Molly Mona Monica Monika Monique Moritz Muhammad Muriel Mustafa Myriam Nadia Nadine Naoko Naomi
Natalia Natalie Natasha Nathalie Nathan Nathaniel Neil Nicholas Nick Nicola Nicolas Nicole Niels Nikhil Nikolai Nils Nina Noah Noel Noelle Noemi Nora
Norbert Norma Norman Nuno Nunzia Olaf Ole Oleg Olga Oliver Olivia Olivier Omar Oscar Oskar Otto Owen Pablo Paige Pamela
Paola Paolo Pascal Patrice Patricia Patricio Patrick Patrizia Paul Paula Pauline Paulo Pavel Pawel Paweł Pedro Peggy Penelope Penny Per Pete Peter Petra Petr Phil
Philip Philipp Philippe Phillip Phoebe Phyllis Pierre Pietro Pilar Piotr Priya Rachel Rafael Rafał Raffaele Rahul Rainer Raj Ralf Ralph Ramón
Randy Raphael Raquel Raúl Ravi Ray Raymond Rebecca Regina Reiner Reinhard Renata Renate René Ricardo Riccardo Richard Rick Rita
Rob Robert Roberta Roberto Robin Rodney Rodrigo Roger Rogelio Rohan Roksana Roland Rolf Roman Romain Romilda Ron Ronald Ronja Rosa Rosalie Rosemary Rosie Ross Roxana
Rubén Rüdiger Rudolf Rupert Russell Ruth Ryan Sabine Sabrina Sally Salvatore Sam Samantha Samir Samuel Sandra Sandro Sandy Sanjay Sara Sarah
Sascha Satoshi Saul Scott Sean Sebastian Sébastien Selina Sergei Sergio Seth Shane Shannon Sharon Sheila Shelby Shelley Sherry Shirley Sibylle
Sigrid Silke Silvia Simon Simona Simone Sina Sofía Sofia Solange Sonia Sonja Sophia Sophie Stacy Stanislav Stanley Stefan Stefania Stefanie Stefano Stella Steffen Stephan
Stephanie Stéphane Stephen Steve Steven Stewart Stuart Sunita Susan Susana Susanna Susanne Suzanne Svea Sven Svenja Svetlana Sylvain Sylvia Sylvie Takashi Tamara Tammy
Tania Tanja Tanya Tara Tatiana Taylor Ted Teresa Terence Teresita Terri Terry Thea Theo Theodor Theodore Theresa Thérèse Thiago Thibault Thierry Thomas Thorsten
Tiffany Till Tilman Tim Timo Timothy Tina Tobias Todd Tom Tomás Tomasz Tommaso Tommy Toni Tony Torsten Tracey Tracy Travis Trevor Tristan Troy
Tyler Udo Ulf Ulrich Ulrike Ursula Uta Ute Uwe Valentin Valentina Valeria Valerie Vanessa Vera Verena Veronica Veronika Véronique Vicente Vicky
Victor Vijay Vikram Vincent Vincenzo Viola Violet Virginie Vivian Viviana Vladimir Volker Walter Wanda Wayne Wendy Werner Wesley Wilhelm William Willie
Wilma Wolfgang Wojciech Xavier Yann Yannick Yasmin Yolanda Yosef Yuki Yusuf Yvette Yvonne Zachary Zoe Zoé Zuzana
"""
# Names that are as often a word, a place or a month: given names only before a surname.
_DOUBTFUL = """
Angel April Art Asia Aspen August Aurora Austin Autumn Bill Blake Brook Brooke Brooklyn Carol Chad Charity Charlotte Chase
Chelsea Cherry Chester Christian China Claus Cliff Clay Cole Cooper Crystal Dakota Dale Dallas Dawn Dean Denver Don Drew Duke Earl Eden Emerald Eve
Faith Florence Ford Forest Frank Gene Genesis Georgia Ginger Glen Grace Grant Guy Harmony Harper Heath Heather Hope Hunter
India Iris Israel Ivory Ivy Jack Jade Jan Jasmine Jean Jersey Jordan Joy June Justice Kenya Kim King Lance Lane Laurel Lily
Lincoln London Lucky Madison Major Mark Marshall Mason Max May Melody Mercedes Miles Mercy Misty Morgan Nick Noble Olive Oscar Page Paige Paris Parker
Pat Patience Pearl Penny Per Phoenix Pierce Piper Price Prince Princess Ray Read Red Reed Regina Rich River Rob Robin Rock Rod Rose Ross
Ruby Rusty Sage Sandy Savannah Scott Sean Skip Sky Skye Sofia Son Star Stella Sterling Stone Summer Sue Sydney Taylor Ted Tiffany Till
Troy Tucker Tyler Victor Victoria Viola Violet Virginia Vera Wade Walker Ward Washington Wayne Will Willow Winter Young Guy Art Lara Ana Ada Ali Don Ken Kai Per Ole Max Pilar Perl Jean Ruth
"""
GIVEN_NAMES = frozenset((*_GIVEN.split(), *_DOUBTFUL.split()))
LONE_GIVEN_NAMES = frozenset(name for name in _GIVEN.split() if len(name) > 2) - frozenset(_DOUBTFUL.split())

_COUNTRIES = ["Afghanistan", "Albania", "Algeria", "Andorra", "Angola", "Antigua and Barbuda", "Argentina", "Armenia", "Aruba", "Australia", "Austria", "Azerbaijan", "Bahamas", "Bahrain", "Bangladesh", "Barbados", "Belarus", "Belgium", "Belize", "Benin", "Bermuda", "Bhutan", "Bolivia", "Bosnia and Herzegovina", "Botswana", "Brazil", "Brunei", "Bulgaria", "Burkina Faso", "Burundi", "Cambodia", "Cameroon", "Canada", "Cape Verde", "Central African Republic", "Chile", "China", "Colombia", "Comoros", "Congo", "Costa Rica", "Croatia", "Cuba", "Curaçao", "Cyprus", "Czechia", "Czech Republic", "Denmark", "Djibouti", "Dominica", "Dominican Republic", "Ecuador", "Egypt", "El Salvador", "Equatorial Guinea", "Eritrea", "Estonia", "Eswatini", "Ethiopia", "Faroe Islands", "Fiji", "Finland", "France", "Gabon", "Gambia", "Germany", "Ghana", "Gibraltar", "Greece", "Greenland", "Grenada", "Guam", "Guatemala", "Guinea", "Guinea-Bissau", "Guyana", "Haiti", "Honduras", "Hong Kong", "Hungary", "Iceland", "India", "Indonesia", "Iran", "Iraq", "Ireland", "Israel", "Italy", "Ivory Coast", "Jamaica", "Japan", "Kazakhstan", "Kenya", "Kiribati", "Kosovo", "Kuwait", "Kyrgyzstan", "Laos", "Latvia", "Lebanon", "Lesotho", "Liberia", "Libya", "Liechtenstein", "Lithuania", "Luxembourg", "Macau", "Macedonia", "Madagascar", "Malawi", "Malaysia", "Maldives", "Mali", "Malta", "Marshall Islands", "Mauritania", "Mauritius", "Mexico", "Micronesia", "Moldova", "Monaco", "Mongolia", "Montenegro", "Morocco", "Mozambique", "Myanmar", "Namibia", "Nauru", "Nepal", "Netherlands", "New Zealand", "Nicaragua", "Niger", "Nigeria", "North Korea", "North Macedonia", "Norway", "Oman", "Pakistan", "Palau", "Palestine", "Panama", "Papua New Guinea", "Paraguay", "Peru", "Philippines", "Poland", "Portugal", "Puerto Rico", "Qatar", "Romania", "Russia", "Rwanda", "Saint Kitts and Nevis", "Saint Lucia", "Samoa", "San Marino", "Saudi Arabia", "Scotland", "Senegal", "Serbia", "Seychelles", "Sierra Leone", "Singapore", "Slovakia", "Slovenia", "Solomon Islands", "Somalia", "South Africa", "South Korea", "South Sudan", "Spain", "Sri Lanka", "Sudan", "Suriname", "Swaziland", "Sweden", "Switzerland", "Syria", "Taiwan", "Tajikistan", "Tanzania", "Thailand", "Timor-Leste", "Togo", "Tonga", "Trinidad and Tobago", "Tunisia", "Turkey", "Turkmenistan", "Tuvalu", "Uganda", "Ukraine", "United Arab Emirates", "United Kingdom", "United States", "Uruguay", "Uzbekistan", "Vanuatu", "Vatican City", "Venezuela", "Vietnam", "Wales", "Yemen", "Zambia", "Zimbabwe", "England", "Northern Ireland", "Deutschland", "Österreich", "Schweiz", "Frankreich", "Italien", "Spanien", "Niederlande", "Belgien", "Polen", "Dänemark", "Schweden", "Norwegen", "Finnland", "Tschechien", "Ungarn", "Griechenland", "Türkei", "Russland", "Großbritannien", "Irland", "Kroatien", "Rumänien", "Bulgarien", "Ukraine", "Allemagne", "Autriche", "Suisse", "Espagne", "Italie", "Belgique", "Pays-Bas", "Pologne", "Danemark", "Suède", "Norvège", "Grèce", "Turquie", "Russie", "Royaume-Uni", "Alemania", "España", "Francia", "Italia", "Bélgica", "Suiza", "Polonia", "Dinamarca", "Suecia", "Noruega", "Grecia", "Turquía", "Rusia", "Brasil", "México", "Perú", "Germania", "Spagna", "Belgio", "Svizzera", "Danimarca", "Svezia", "Norvegia", "Turchia", "Regno Unito", "Brasile", "Messico", "Giappone"]
_CITIES = ["Aachen", "Abidjan", "Abu Dhabi", "Accra", "Addis Ababa", "Adelaide", "Ahmedabad", "Aleppo", "Alexandria", "Algiers", "Alicante", "Almaty", "Amman", "Amsterdam", "Ankara", "Antwerp", "Athens", "Atlanta", "Auckland", "Baghdad", "Baku", "Baltimore", "Bangalore", "Bangkok", "Barcelona", "Bari", "Basel", "Beijing", "Beirut", "Belfast", "Belgrade", "Bergen", "Berlin", "Bern", "Bilbao", "Birmingham", "Bogotá", "Bologna", "Bonn", "Bordeaux", "Boston", "Brasília", "Bratislava", "Bremen", "Brisbane", "Bristol", "Bruges", "Brussels", "Bucharest", "Budapest", "Buenos Aires", "Cairo", "Calgary", "Canberra", "Cape Town", "Caracas", "Cardiff", "Casablanca", "Chennai", "Chicago", "Chongqing", "Cologne", "Colombo", "Copenhagen", "Córdoba", "Curitiba", "Dakar", "Damascus", "Delhi", "Detroit", "Dhaka", "Doha", "Dortmund", "Dresden", "Dubai", "Dublin", "Duisburg", "Durban", "Düsseldorf", "Edinburgh", "Eindhoven", "Essen", "Frankfurt", "Geneva", "Genoa", "Ghent", "Glasgow", "Gothenburg", "Göteborg", "Granada", "Graz", "Guadalajara", "Guangzhou", "Guayaquil", "Hamburg", "Hamilton", "Hanoi", "Hannover", "Harare", "Havana", "Heidelberg", "Helsinki", "Houston", "Hyderabad", "Innsbruck", "Islamabad", "Istanbul", "İstanbul", "Izmir", "Jakarta", "Jeddah", "Jerusalem", "Johannesburg", "Kabul", "Karachi", "Karlsruhe", "Kiel", "Kiev", "Kyiv", "Kigali", "Kingston", "Kinshasa", "Kobe", "Köln", "Kolkata", "Kraków", "Kuala Lumpur", "Kyoto", "Lagos", "Lahore", "Las Vegas", "Lausanne", "Leeds", "Leipzig", "Lille", "Lima", "Linz", "Lisbon", "Lisboa", "Liverpool", "Ljubljana", "London", "Londres", "Los Angeles", "Luanda", "Lucerne", "Lyon", "Madrid", "Málaga", "Malmö", "Manchester", "Manila", "Mannheim", "Marseille", "Medellín", "Melbourne", "Memphis", "Miami", "Milan", "Milano", "Milwaukee", "Minneapolis", "Minsk", "Montevideo", "Montpellier", "Montreal", "Montréal", "Moscow", "Mumbai", "München", "Munich", "Münster", "Nagoya", "Nairobi", "Nantes", "Napoli", "Naples", "New Delhi", "New Orleans", "New York", "New York City", "Newcastle", "Nice", "Nottingham", "Nuremberg", "Nürnberg", "Odessa", "Osaka", "Oslo", "Ottawa", "Oxford", "Palermo", "Paris", "Perth", "Philadelphia", "Phoenix", "Pittsburgh", "Portland", "Porto", "Poznań", "Prague", "Praha", "Pretoria", "Quebec", "Québec", "Quito", "Rabat", "Reykjavík", "Riga", "Rio de Janeiro", "Riyadh", "Rome", "Roma", "Rotterdam", "Sacramento", "Salzburg", "San Antonio", "San Diego", "San Francisco", "San José", "San Juan", "Santiago", "São Paulo", "Sarajevo", "Seattle", "Seoul", "Sevilla", "Seville", "Shanghai", "Shenzhen", "Sheffield", "Sofia", "Southampton", "St. Gallen", "St. Louis", "Stockholm", "Strasbourg", "Stuttgart", "Sydney", "Taipei", "Tallinn", "Tampa", "Tbilisi", "Tehran", "Tel Aviv", "The Hague", "Tijuana", "Tirana", "Tokyo", "Toronto", "Torino", "Toulouse", "Tripoli", "Tunis", "Turin", "Turku", "Uppsala", "Utrecht", "Valencia", "Vancouver", "Venice", "Venezia", "Verona", "Vienna", "Vilnius", "Warsaw", "Warszawa", "Washington D.C.", "Wellington", "Wien", "Winnipeg", "Wrocław", "Wuhan", "Yokohama", "York", "Zagreb", "Zaragoza", "Zürich", "Zurich"]
_STATES = ["Alabama", "Alaska", "Arizona", "Arkansas", "California", "Colorado", "Connecticut", "Delaware", "Florida", "Hawaii", "Idaho", "Illinois", "Indiana", "Iowa", "Kansas", "Kentucky", "Louisiana", "Maine", "Maryland", "Massachusetts", "Michigan", "Minnesota", "Mississippi", "Missouri", "Montana", "Nebraska", "Nevada", "New Hampshire", "New Jersey", "New Mexico", "North Carolina", "North Dakota", "Ohio", "Oklahoma", "Oregon", "Pennsylvania", "Rhode Island", "South Carolina", "South Dakota", "Tennessee", "Texas", "Utah", "Vermont", "West Virginia", "Wisconsin", "Wyoming", "Bayern", "Bavaria", "Sachsen", "Saxony", "Hessen", "Ontario", "Alberta", "Queensland", "Victoria", "Tasmania", "New South Wales", "Catalonia", "Tuscany", "Brittany", "Normandy", "Andalusia", "Lombardy", "Sicily", "Flanders", "Wallonia", "Punjab", "Gujarat", "Kerala"]
# Places that are as often something else: only behind a word that says place.
_DOUBTFUL_PLACES = frozenset(
    ["Chad", "Jordan", "Turkey", "Georgia", "Guinea", "Nice", "Essen", "Bath", "Phoenix", "Paris", "London", "Sofia", "Victoria", "Sydney", "Washington", "Lincoln", "Split", "Bari", "Hamilton", "Newcastle", "York", "Oxford", "Perl", "Java", "Kingston", "Granada", "Guam", "Mali", "Man", "Wales", "Verona", "Florence", "Valencia", "Santiago", "Lima", "Bergen", "Perth", "Portland", "Maine"]
)


def _by_first_word(names: list[str]) -> dict[str, tuple[str, ...]]:
    table: dict[str, set[str]] = {}
    for name in names:
        table.setdefault(name.split()[0], set()).add(name)
    return {first: tuple(sorted(all_, key=len, reverse=True)) for first, all_ in table.items()}


PLACES = _by_first_word([*_COUNTRIES, *_CITIES, *_STATES])
"""Names of places by their first word, the longest first."""
DOUBTFUL_PLACES = frozenset(_DOUBTFUL_PLACES)
