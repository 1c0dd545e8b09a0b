"""Every address. Each room has its own; here stand those that belong to no room."""

from django.urls import include, path

from coproduce.site import home, installation, set_up, try_it

urlpatterns = [
    path("", home.home, name="home"),
    path("how-this-works/", home.how_this_works, name="how_this_works"),
    path("what-we-keep/", home.what_we_keep, name="privacy"),
    path("making-this-easier/", home.making_this_easier, name="accessibility"),
    path("installation/", installation.page, name="installation"),
    path("set-up/<str:token>/", set_up.page, name="set_up"),
    path("try/<str:token>/", try_it.sign_in, name="try_it"),
    path("account/", include("coproduce.people.account_urls")),
    path("", include("coproduce.people.urls")),
    path("", include("coproduce.voices.urls")),
    path("", include("coproduce.themes.urls")),
    path("", include("coproduce.agenda.urls")),
    path("", include("coproduce.changes.urls")),
    path("", include("coproduce.hearback.urls")),
]

handler403 = "coproduce.site.home.not_allowed"
